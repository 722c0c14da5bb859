import type { ValueTransformer } from 'typeorm';

/**
 * Times are kept as milliseconds since 1970 in a `bigint`, so that neither a server's time zone nor a
 * driver's idea of a date changes them.
 */
export const epochMillis: ValueTransformer = {
  to: (value: Date | null | undefined) => value?.getTime() ?? value,
  from: (value: string | number | null) => (value === null ? null : new Date(Number(value))),
};
