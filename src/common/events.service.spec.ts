import type { EntityManager } from 'typeorm';
import { EventsService } from './events.service.js';

declare module './events.service.js' {
  interface EventTypes {
    'test.first': { count: number };
    'test.second': { name: string };
  }
}

const manager = {} as EntityManager;
let events: EventsService;
let heard: string[];
beforeEach(() => {
  events = new EventsService();
  heard = [];
});

it('lets consequences complete an event before it is observed', async () => {
  events.on('test.first', (_manager, { count }) => void heard.push(`observed ${count}`));
  events.onConsequence('test.first', (_manager, event) => void (event.count += 1));
  expect(await events.publish(manager, { type: 'test.first', count: 1 })).toMatchObject({
    count: 2,
  });
  expect(heard).toEqual(['observed 2']);
});

it('delivers an event that a handler publishes after the present one', async () => {
  events.onConsequence('test.first', async (inside) => {
    await events.publish(inside, { type: 'test.second', name: 'nested' });
  });
  events.onAll((_manager, { type }) => void heard.push(type));
  await events.publish(manager, { type: 'test.first', count: 1 });
  expect(heard).toEqual(['test.first', 'test.second']);
});

it('rejects if a handler fails, and delivers the next event all the same', async () => {
  events.on('test.first', () => Promise.reject(new Error('refused')));
  events.on('test.second', (_manager, { name }) => void heard.push(name));
  const failing = events.publish(manager, { type: 'test.first', count: 1 });
  await expect(failing).rejects.toThrow('refused');
  await events.publish(manager, { type: 'test.second', name: 'later' });
  expect(heard).toEqual(['later']);
});
