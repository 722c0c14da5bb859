import { z } from 'zod';

/**
 * Returns the schema of a JSON route for a page's form without a password. After a confirmation, the browser sends
 * the password of `/account/confirm` along, which the page has checked by then.
 */
export const withoutPassword = <T extends z.ZodType>(schema: T) =>
  z.preprocess((body) => {
    const fields = Object.entries((body ?? {}) as Record<string, unknown>);
    return Object.fromEntries(fields.filter(([name]) => name !== 'current_password'));
  }, schema);

/** Returns the value of a field that may be empty: browsers send an empty text for it. */
export const emptied = (text: unknown): unknown => (text === '' ? null : text);
