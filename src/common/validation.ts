import { StandardSchemaValidationPipe, type Type } from '@nestjs/common';
import { PIPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { ApiError, type FieldError } from './api-error.js';

/** One pipe for all applications of a process: they share the classes that carry it. */
const PIPE = new StandardSchemaValidationPipe({ exceptionFactory: toApiError });

/**
 * Makes every route of `modules` validate its declarations by `@Body({ schema })` and the like. The 400
 * begins with the first wrong field in the schema's order, and lists all of them if several are wrong. Call
 * this before the routes are made.
 *
 * A global pipe would do the same, but would make several promises for each parameter of each route,
 * `@CurrentUser()` among them. They take an eighth of a guarded request.
 */
export function validateDeclared(modules: ModulesContainer): void {
  const scanner = new MetadataScanner();
  const controllers = [...modules.values()].flatMap(({ controllers }) => [...controllers.values()]);
  for (const { metatype } of controllers) {
    const controller = metatype as Type;
    const handlers = controller.prototype as Record<string, object>;
    for (const name of scanner.getAllMethodNames(handlers)) {
      const handler = handlers[name];
      const declared = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as Declared;
      const validates = Object.values(declared ?? {}).some(({ schema }) => schema !== undefined);
      if (!handler || !validates) continue;
      const pipes = (Reflect.getMetadata(PIPES_METADATA, handler) ?? []) as unknown[];
      if (pipes.includes(PIPE)) continue;
      Reflect.defineMetadata(PIPES_METADATA, [PIPE, ...pipes], handler);
    }
  }
}

/** Nest's metadata of a handler's decorated parameters. */
type Declared = Record<string, { schema?: unknown }> | undefined;

function toApiError(issues: readonly StandardSchemaV1.Issue[]): ApiError {
  const errors = issues.map(({ path = [], message }): FieldError => {
    const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
    return { path: keys.join('.'), msg: message };
  });
  const first = errors[0];
  if (!first || first.path === '') return new ApiError('missing_json');
  return new ApiError(
    first.msg === missing(first.path) ? 'missing_parameter' : 'invalid_parameter',
    {
      msg: first.msg,
      field: first.path,
      ...(errors.length > 1 && { errors }),
    },
  );
}

const missing = (name: string): string => `Missing ${name} parameter`;

/** Returns a schema for a required string. Absent, null and empty values read `Missing <name> parameter`. */
export function requiredString(name: string): z.ZodString {
  return string(name).min(1, { error: missing(name), abort: true });
}

/** Like {@link requiredString}, but trims the text. A text of blanks counts as missing. */
export function requiredText(name: string): z.ZodString {
  return string(name)
    .trim()
    .min(1, { error: missing(name), abort: true });
}

/** Returns a schema for a text that both databases can store: PostgreSQL has no NUL. */
export const storableText = (name: string, max: number) =>
  z
    .string({ error: `The ${name} has to be a string` })
    .max(max, { error: `The ${name} has more than ${max} characters` })
    .refine((text) => text.isWellFormed() && !text.includes('\0'), {
      error: `The ${name} holds characters that cannot be stored`,
    });

/** Returns a schema for a time of RFC 3339, with any offset from UTC. */
export const timeSchema = (error: string) =>
  z.iso.datetime({ offset: true, error }).transform((text) => new Date(text));

const string = (name: string): z.ZodString =>
  z.string({
    error: ({ input }) =>
      input === undefined || input === null ? missing(name) : `The ${name} has to be a string`,
  });
