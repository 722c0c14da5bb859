import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/**
 * Every event, by its type. A room declares its events beside the code that publishes them:
 *
 *     declare module '../common/events.service.js' {
 *       interface EventTypes {
 *         'cat.adopted': { catId: string };
 *       }
 *     }
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- Rooms add to it.
export interface EventTypes {}

/** The type of an event, such as `user.created`. */
export type EventType = keyof EventTypes;

/** An event of one type, or of several. */
export type EventOf<T extends EventType> = { [K in T]: { type: K } & EventTypes[K] }[T];

/** Any event. */
export type AnyEvent = EventOf<EventType>;

/** Does what an event makes necessary, in the transaction that publishes it. An error undoes that. */
export type EventHandler<T extends EventType> = (
  manager: EntityManager,
  event: EventOf<T>,
) => Promise<void> | void;

/**
 * Tells rooms of changes, so that the room that makes a change imports none of them. A change publishes its
 * event once, in its transaction, after its rows are written. Rooms subscribe in constructors: the command
 * line calls no other hook.
 */
@Injectable()
export class EventsService {
  private readonly consequences = new Map<string, EventHandler<never>[]>();
  private readonly observers = new Map<string, EventHandler<never>[]>();
  /** The events to deliver next, for each transaction that delivers one. */
  private readonly queues = new WeakMap<EntityManager, AnyEvent[]>();

  /**
   * Calls `handler` for each event of some type. A handler with consequences changes rows of its own room,
   * and may complete the event. It runs before all observers.
   */
  onConsequence<T extends EventType>(type: T, handler: EventHandler<T>): void {
    add(this.consequences, type, handler);
  }

  /** Calls `handler` for each event of some type, to record it or to tell of it. */
  on<T extends EventType>(type: T, handler: EventHandler<T>): void {
    add(this.observers, type, handler);
  }

  /** Calls `handler` for every event. */
  onAll(handler: EventHandler<EventType>): void {
    add(this.observers, '*', handler);
  }

  /**
   * Delivers an event to its handlers, and resolves to the completed event. An event that a handler
   * publishes is delivered after the present one.
   */
  async publish<E extends AnyEvent>(manager: EntityManager, event: E): Promise<E> {
    const queue = this.queues.get(manager);
    if (queue) {
      queue.push(event);
      return event;
    }
    const events: AnyEvent[] = [event];
    this.queues.set(manager, events);
    try {
      for (const next of events) await this.deliver(manager, next);
      return event;
    } finally {
      this.queues.delete(manager);
    }
  }

  private async deliver(manager: EntityManager, event: AnyEvent): Promise<void> {
    const handlers = [
      ...(this.consequences.get(event.type) ?? []),
      ...(this.observers.get(event.type) ?? []),
      ...(this.observers.get('*') ?? []),
    ];
    for (const handler of handlers) await handler(manager, event as never);
  }
}

function add(
  handlers: Map<string, EventHandler<never>[]>,
  type: string,
  handler: EventHandler<never>,
): void {
  handlers.set(type, [...(handlers.get(type) ?? []), handler]);
}
