import { z } from 'zod';
import { stepUpSchema } from '../factors/factors.schemas.js';
import { parsed } from '../pages/form.schemas.js';

/** The fields of the proofs in the form, by their names in `POST /me/step-up`. */
export const PROOF_FIELDS = {
  code: 'proof_code',
  recovery_code: 'proof_recovery_code',
  passkey: 'proof_passkey',
};

/** A proof in the form of `POST /me/step-up`. Other names keep it apart from the fields of the waiting form. */
export const confirmationSchema = z.preprocess((body) => {
  const form = (body ?? {}) as Record<string, string | undefined>;
  return {
    current_password: form.current_password,
    code: form.proof_code,
    recovery_code: form.proof_recovery_code,
    passkey: parsed(form.proof_passkey),
  };
}, stepUpSchema);
