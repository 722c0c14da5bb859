import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import type { AccessTokenClaims } from '../keys/access-token.js';
import { type Aal, aalOf, acrOf } from '../sessions/assurance.js';

/** The age of a proof, in seconds, up to which it counts as recent by default. */
export const RECENT = 900;

/** The authentication that an action requires (RFC 9470). */
export interface StepUpRequirement {
  /** The greatest age of the user's last proof, in seconds. */
  maxAge?: number;
  /** The least assurance level of the session. */
  aal?: Aal;
}

/**
 * Checks how, and how recently, the user of a token has signed in. A refresh makes no sign-in recent.
 *
 * @throws ApiError impersonation_forbidden, reauthentication_required
 */
export function requireStepUp(
  { act, acr, auth_time: provenAt = 0 }: Partial<AccessTokenClaims>,
  { maxAge = RECENT, aal }: StepUpRequirement = {},
): void {
  if (act) throw new ApiError('impersonation_forbidden');
  const tooOld = clock.now() / 1000 - provenAt > maxAge;
  const tooWeak = aal !== undefined && aalOf(acr) < aal;
  if (tooOld || tooWeak) throw reauthenticationRequired({ maxAge, aal });
}

/** Returns the refusal with the challenge of RFC 9470, section 3. */
function reauthenticationRequired({ maxAge, aal }: StepUpRequirement): ApiError {
  const acr = aal === undefined ? '' : `, acr_values="${acrOf(aal)}"`;
  const challenge =
    'error="insufficient_user_authentication", ' +
    `error_description="A more recent or stronger sign-in is required"${acr}, max_age="${maxAge}"`;
  return new ApiError('reauthentication_required', { challenge });
}
