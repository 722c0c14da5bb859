import { z } from 'zod';

/** Query of a page; anything that cannot be a token counts as none. */
export const pageQuerySchema = z.object({
  token: z
    .string()
    .regex(/^[\w-]{1,128}$/)
    .catch(''),
});

/** Body of a page's form. */
export const pageFormSchema = z
  .object({
    token: z.string().max(128).catch(''),
    password: z.string().catch(''),
    username: z.string().max(254).catch(''),
  })
  .catch({ token: '', password: '', username: '' });

export type PageFormBody = z.infer<typeof pageFormSchema>;
