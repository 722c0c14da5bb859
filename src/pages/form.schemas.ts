import { z } from 'zod';

/** The wishes of a user that every form on the way to a session carries along. Other values count as none. */
export const wishesSchema = z.object({
  /** Whether the browser keeps the session when it closes. */
  remember: z.literal('on').optional().catch(undefined),
  /** The page that the sign-in leads back to. */
  return_to: z.string().optional().catch(undefined),
});

export type Wishes = z.infer<typeof wishesSchema>;

/** Returns a JSON text's value. If it is none, the schema behind refuses the text. */
export function parsed(text: unknown): unknown {
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A field that holds JSON, such as the answer of a passkey. */
export const jsonField = z.string().transform(parsed);

/** A field that may be left empty. */
export const emptyAsNone = z.string().transform((text): string | null | undefined => text || null);
