import type { ValueTransformer } from 'typeorm';

/**
 * Stores times as milliseconds since 1970 in a `bigint`, so that neither a time zone nor a driver changes
 * them.
 */
export const epochMillis: ValueTransformer = {
  // Operators of conditions (`IsNull()`) come through here as well.
  to: (value: unknown) => (value instanceof Date ? value.getTime() : value),
  from: (value: string | number | null) => (value === null ? null : new Date(Number(value))),
};
