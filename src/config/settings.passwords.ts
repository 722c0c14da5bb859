import { z } from 'zod';
import { duration, integer, isHttpUrl } from './setting-types.js';

/** Passwords and their hashes. */
export const PASSWORD_SETTINGS = {
  BCRYPT_COST: integer(12, 10, 16).describe('Cost of password hashes: 2 to this power rounds'),
  TEST_BCRYPT_COST: integer(undefined, 4, 9).describe(
    'A cost under 10, for tests; refused in production',
  ),
  HASH_THREADS: integer(undefined, 1, 256).describe(
    'Threads that hash passwords; by default as many as cores',
  ),
  HASH_MAX_WAIT: duration('5s', 60).describe(
    'A request that would wait longer for a thread is answered 503 `overloaded`',
  ),
  PASSWORD_MIN_LENGTH: integer(8, 8, 64).describe('Shortest password, in characters'),
  PWNED_PASSWORDS_URL: z
    .string()
    .refine(isHttpUrl, {
      error: 'expected an address such as https://api.pwnedpasswords.com/range',
    })
    .optional()
    .describe(
      'A range service that new passwords are looked up in by 5 digits of their SHA-1, such as ' +
        '`https://api.pwnedpasswords.com/range`',
    ),
} as const;
