import { z } from 'zod';

/** The token of a link, or the code of the same mail and the account (undefined: no account has that name). */
export type LinkOrCode = { token: string } | { userId: string | undefined; code: string };

/** The token of a link, or the code of the same mail and the account it is for. */
const fields = z.object({
  token: z.string({ error: 'The token has to be a string' }).max(128).optional(),
  username: z.string({ error: 'The username has to be a string' }).max(1024).optional(),
  code: z.string({ error: 'The code has to be a string' }).max(32).optional(),
});

/** Body of the routes that take a link's token, or `username` (or e-mail address) and `code`. */
export const linkOrCodeSchema = fields
  .refine(({ token, code }) => token !== undefined || code !== undefined, {
    error: 'Missing token parameter',
    path: ['token'],
  })
  .refine(({ token, username }) => token !== undefined || username !== undefined, {
    error: 'Missing username parameter',
    path: ['username'],
  })
  .meta({ title: 'LinkOrCode', example: { username: 'ada', code: '12345678' } });

export type LinkOrCodeBody = z.infer<typeof linkOrCodeSchema>;
