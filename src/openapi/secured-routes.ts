import { type CanActivate, type Type } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { ApiResponse, ApiSecurity } from '@nestjs/swagger';
import { isAllowedBeforeEnrolment } from '../auth/enrolment.js';
import { JwtAuthGuard, OptionalJwtAuthGuard } from '../auth/jwt-auth.guard.js';
import { PUBLIC } from '../common/public.js';

/** The name of the access token among the document's security schemes. */
export const BEARER = 'bearer';

/** Passport's own guard by name. Passport makes one class for each name. */
const BY_NAME = AuthGuard('jwt');

/** The key of a route's described answers in the metadata of @nestjs/swagger. */
const RESPONSES = 'swagger/apiResponse';

const ENROLMENT = 'A role of the user requires a second factor (`MFA_REQUIRED`)';

/** The handlers that were marked. All applications of a process share them. */
const marked = new WeakSet();

type Guard = Type<CanActivate> | CanActivate;

/**
 * Marks the routes whose guards ask for an access token, a project's own too, so that the OpenAPI document
 * says so. Otherwise `/docs` would send them no token. Each may also refuse users that have to enrol a second
 * factor first.
 */
export function markSecuredRoutes(modules: ModulesContainer): void {
  const scanner = new MetadataScanner();
  const everywhere = isGuardedByDefault(modules);
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      const controller = metatype as Type;
      const prototype = controller.prototype as object;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const descriptor = descriptorOf(prototype, name);
        const handler = descriptor?.value as object | undefined;
        if (!descriptor || !handler || marked.has(handler)) continue;
        const guards = [controller, handler].flatMap(
          (target) => (Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as Guard[],
        );
        const isPublic = [controller, handler].some((target) =>
          Reflect.getMetadata(PUBLIC, target),
        );
        const asks = guards.some(asksForToken);
        if (!asks && (isPublic || !everywhere)) continue;
        marked.add(handler);
        const optional = asks && guards.filter(asksForToken).every(isOptional);
        ApiSecurity(BEARER)(prototype, name, descriptor);
        if (optional) ApiSecurity({})(prototype, name, descriptor);
        const targets = [controller, handler];
        if (isAllowedBeforeEnrolment(targets) || targets.some(describesForbidden)) continue;
        ApiResponse({ status: 403, description: ENROLMENT })(prototype, name, descriptor);
      }
    }
  }
}

function descriptorOf(prototype: object | null, name: string): PropertyDescriptor | undefined {
  if (prototype === null) return undefined;
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  return own ?? descriptorOf(Object.getPrototypeOf(prototype) as object | null, name);
}

const describesForbidden = (target: object): boolean =>
  '403' in ((Reflect.getMetadata(RESPONSES, target) ?? {}) as object);

const isA = (guard: Guard, wanted: Type): boolean =>
  guard instanceof wanted ||
  guard === wanted ||
  (typeof guard === 'function' && guard.prototype instanceof wanted);

const asksForToken = (guard: Guard): boolean => isA(guard, JwtAuthGuard) || isA(guard, BY_NAME);
const isOptional = (guard: Guard): boolean => isA(guard, OptionalJwtAuthGuard);

/** Tells whether a guard of the whole application asks for a token; see `guardByDefault`. */
const isGuardedByDefault = (modules: ModulesContainer): boolean =>
  [...modules.values()].some(({ providers }) =>
    [...providers.values()].some(
      ({ subtype, metatype }) => subtype === 'guard' && asksForToken(metatype as Guard),
    ),
  );
