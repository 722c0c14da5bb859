import { z } from 'zod';

/** The wishes of a user that every form on the way to a session carries along. Other values count as none. */
export const wishesSchema = z.object({
  /** Whether the browser keeps the session when it closes. */
  remember: z.literal('on').optional().catch(undefined),
  /** The page that the sign-in leads back to. */
  return_to: z.string().optional().catch(undefined),
});

export type Wishes = z.infer<typeof wishesSchema>;

/** A field that holds JSON, such as the answer of a passkey. Another text stays a text. */
export const jsonField = z.string().transform((text): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
});

/** A field that may be left empty. */
export const emptyAsNone = z.string().transform((text): string | null | undefined => text || null);
