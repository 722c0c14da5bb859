import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { ApiError, type FieldError } from './api-error.js';

/**
 * Validates what a route declares by `@Body({ schema })`: the answer is a 400 that starts with the
 * first field in the schema's order, and lists all of them where several are wrong.
 */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: toApiError });
}

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
      ...(errors.length > 1 && { errors }),
    },
  );
}

const missing = (name: string): string => `Missing ${name} parameter`;

/** A string parameter that has to be there: absent, null and empty read `Missing <name> parameter`. */
export function requiredString(name: string): z.ZodString {
  return z
    .string({
      error: ({ input }) =>
        input === undefined || input === null ? missing(name) : `The ${name} has to be a string`,
    })
    .min(1, { error: missing(name), abort: true });
}
