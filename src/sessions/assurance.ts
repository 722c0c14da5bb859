/** An authentication assurance level: one factor, or two (NIST SP 800-63B, section 4). */
export type Aal = 1 | 2;

/** How a user was authenticated. */
export interface Assurance {
  /** The proven methods, by the names of RFC 8176; `mail`, `fed` and `recovery` are Latchkey's own. */
  amr: string[];
  aal: Aal;
}

/** The claim `acr` of an assurance level (OpenID Connect Core, section 2). */
export const acrOf = (aal: Aal): string => `urn:latchkey:aal${aal}`;

/** Returns the level that the claim `acr` names. Returns 0 for anything else. */
export function aalOf(acr: unknown): Aal | 0 {
  if (acr === acrOf(2)) return 2;
  return acr === acrOf(1) ? 1 : 0;
}

/**
 * Returns the assurance after a further proof in the same session. The names are joined, and `mfa` says that
 * several factors were used.
 */
export function withProof(before: Assurance, proof: Assurance): Assurance {
  const aal = Math.max(before.aal, proof.aal) as Aal;
  const amr = [...new Set([...before.amr, ...proof.amr])].filter((name) => name !== 'mfa');
  return { amr: aal === 2 ? [...amr, 'mfa'] : amr, aal };
}
