import { z } from 'zod';
import { requiredString } from '../common/validation.js';

/** Body of `PUT /me/password`. */
export const changePasswordSchema = z.object({
  current_password: requiredString('current_password'),
  new_password: requiredString('new_password'),
});

/** One of the sessions of `GET /me/sessions`. */
export const sessionSchema = z.object({
  id: z.uuid(),
  createdAt: z.string().meta({ format: 'date-time' }),
  lastUsedAt: z.string().meta({ format: 'date-time' }),
  expiresAt: z.string().meta({ format: 'date-time' }),
  device: z.string().describe('In words, from the user agent'),
  address: z.string(),
  current: z.boolean().describe('Whether this request comes from it'),
});

/** Answer of `GET /me/sessions`. */
export const sessionsSchema = z.object({ sessions: z.array(sessionSchema) });

export type ChangePasswordBody = z.infer<typeof changePasswordSchema>;
export type SessionsView = z.infer<typeof sessionsSchema>;
