import { z } from 'zod';
import { codeSchema, factorNameSchema, recoveryCodesSchema } from '../factors/factors.schemas.js';

/** Body of `POST /me/factors/totp`. */
export const enrolTotpSchema = z
  .object({ name: factorNameSchema.nullish() })
  .meta({ title: 'EnrolTotp', example: { name: 'My phone' } });

/** Body of `POST /me/factors/totp/:id/confirm`. */
export const confirmTotpSchema = z
  .object({ code: codeSchema })
  .meta({ title: 'ConfirmTotp', example: { code: '123456' } });

/** A new authenticator app. Its secret is shown once. */
export const enrolmentSchema = z
  .object({
    id: z.uuid(),
    secret: z.string().describe('In base 32, to type into an app'),
    uri: z.string().describe('The content of the QR code'),
    qr: z.string().describe('The QR code as an SVG image, to be scanned by an app'),
  })
  .meta({ title: 'TotpEnrolment' });

/** Answer of a confirmation. It has recovery codes with the first factor. */
export const confirmedSchema = recoveryCodesSchema.partial().meta({ title: 'TotpConfirmation' });

export type EnrolTotpBody = z.infer<typeof enrolTotpSchema>;
export type ConfirmTotpBody = z.infer<typeof confirmTotpSchema>;
export type EnrolmentView = z.infer<typeof enrolmentSchema>;
export type ConfirmedView = z.infer<typeof confirmedSchema>;
