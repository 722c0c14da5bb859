import type { ExecutionContext } from '@nestjs/common';
import type { ReflectableDecorator, Reflector } from '@nestjs/core';

/** The requirements of the decorators of one kind. A user has to meet each list. */
export type Requirements = ReflectableDecorator<string[][]>;

/**
 * Adds a requirement to the present ones of a class or method, and of its base class. A plain decorator would
 * replace them, and one of two `@Roles()` would have no effect.
 */
export function addRequirement(
  requirements: Requirements,
  names: string[],
): ClassDecorator & MethodDecorator {
  return (target: object, _key?: unknown, descriptor?: { value?: unknown }): void => {
    const handler = descriptor?.value;
    const on = typeof handler === 'function' ? handler : target;
    const before = (Reflect.getMetadata(requirements.KEY, on) ?? []) as string[][];
    Reflect.defineMetadata(requirements.KEY, [...before, names], on);
  };
}

/**
 * Returns all requirements of class and method.
 *
 * @throws Error if they name none: a guard without its decorator would let every user through
 */
export function requirementsOf(
  requirements: Requirements,
  reflector: Reflector,
  context: ExecutionContext,
): string[][] {
  const targets = [context.getClass(), context.getHandler()];
  const all = targets.flatMap((target) => {
    const own: unknown = reflector.get(requirements, target);
    return (own ?? []) as string[][];
  });
  if (all.length > 0) return all;
  const route = `${context.getClass().name}.${context.getHandler().name}`;
  throw new Error(
    `A guard on ${route} names no role or permission to ask for: use @Roles() or @Permissions()`,
  );
}
