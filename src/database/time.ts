import type { ValueTransformer } from 'typeorm';

/**
 * Times are kept as milliseconds since 1970 in a `bigint`, so that neither a server's time zone nor a
 * driver's idea of a date changes them.
 */
export const epochMillis: ValueTransformer = {
  // Conditions of an update bring their operators (`IsNull()`) through here as well.
  to: (value: unknown) => (value instanceof Date ? value.getTime() : value),
  from: (value: string | number | null) => (value === null ? null : new Date(Number(value))),
};
