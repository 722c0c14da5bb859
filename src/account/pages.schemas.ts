import { z } from 'zod';

/** Query of a page; what is no token is as good as none. */
export const pageQuerySchema = z.object({
  token: z
    .string()
    .regex(/^[\w-]{1,128}$/)
    .catch(''),
});

/** What a page's form sends. */
export const pageFormSchema = z
  .object({ token: z.string().max(128).catch(''), password: z.string().catch('') })
  .catch({ token: '', password: '' });

export type PageForm = z.infer<typeof pageFormSchema>;
