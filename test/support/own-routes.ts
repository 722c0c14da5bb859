import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PUBLIC } from '../../src/common/public.js';
import { isOwnClass } from './rooms.js';

/** A route as Nest's decorators declare it: `GET /cats/:id`. */
interface DeclaredRoute {
  route: string;
  /** The name of the controller's class. */
  controller: string;
  /** Whether `@Public()` stands on it. */
  isPublic: boolean;
}

const isMarked = (target: object): boolean => Reflect.getMetadata(PUBLIC, target) === true;

/** Every route that a controller of the application declares. */
export function declaredRoutes(app: NestFastifyApplication): DeclaredRoute[] {
  const modules = [...app.get(ModulesContainer).values()];
  const types = modules.flatMap(({ controllers }) => [...controllers.values()]);
  return types.flatMap(({ metatype }) => routesOf(metatype as Type));
}

/** The routes that are declared by controllers in a project's own folders. */
export function ownRoutes(app: NestFastifyApplication): DeclaredRoute[] {
  return declaredRoutes(app).filter(({ controller }) => isOwnClass(controller));
}

function routesOf(controller: Type): DeclaredRoute[] {
  const handlers = controller.prototype as Record<string, object>;
  return new MetadataScanner().getAllMethodNames(handlers).flatMap((name) => {
    const handler = handlers[name];
    const method = handler && (Reflect.getMetadata(METHOD_METADATA, handler) as number | undefined);
    if (!handler || method === undefined) return [];
    const isPublic = isMarked(handler) || isMarked(controller);
    return pathsOf(controller).flatMap((base) =>
      pathsOf(handler).map((path) => ({
        route: `${RequestMethod[method] ?? ''} ${joined(base, path)}`,
        controller: controller.name,
        isPublic,
      })),
    );
  });
}

const pathsOf = (target: object): string[] =>
  [Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined]
    .flat()
    .map((path) => path ?? '');

const joined = (...parts: string[]): string =>
  '/' +
  parts
    .flatMap((part) => part.split('/'))
    .filter(Boolean)
    .join('/');
