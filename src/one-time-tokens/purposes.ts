import type { User } from '../users/user.entity.js';

/** What a token of a purpose carries besides the user. */
export interface OneTimePayloads {
  'verify-email': null;
  'change-email': { email: string; emailKey: string };
  /** `round`: how often the change was taken back and forth before; left out the first time. */
  'undo-email-change': { email: string; emailKey: string; round?: string };
  'reset-password': null;
}

/** What a one-time token is for; one for a purpose opens nothing else. */
export type OneTimePurpose = keyof OneTimePayloads;

interface Rules {
  /** Seconds. */
  expiresIn: number;
  /** Whether eight digits may be typed instead. */
  code: boolean;
  /** Whether older ones stay good when a new one is made. */
  alongside: boolean;
  /** What must not have changed when it is used. */
  guard: (user: User) => (string | null)[];
}

const passwordAndAddress = (user: User) => [user.passwordHash, user.email, user.emailKey];

/** The rules of each purpose. */
export const ONE_TIME_PURPOSES: Readonly<Record<OneTimePurpose, Rules>> = {
  'verify-email': {
    expiresIn: 86_400,
    code: true,
    alongside: false,
    guard: ({ email }) => [email],
  },
  'change-email': { expiresIn: 86_400, code: true, alongside: false, guard: passwordAndAddress },
  // Whoever took an account over changes password and address again: neither must end the owner's way
  // back, nor must a newer way back, which is mailed to the thief. The owner's, being older, ends the
  // thief's (`Addresses.undoChange`).
  'undo-email-change': { expiresIn: 7 * 86_400, code: false, alongside: true, guard: () => [] },
  'reset-password': { expiresIn: 1_800, code: true, alongside: false, guard: passwordAndAddress },
};
