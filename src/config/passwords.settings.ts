import { z } from 'zod';
import { declareSettings, setting } from './setting.js';
import { integer, optionalInteger } from './setting-schemas.js';
import { isHttpUrl } from './urls.js';

/** The least cost of password hashes in production. Tests use less, because they hash often. */
const MIN_COST = 10;
const MAX_COST = 16;

export const PASSWORD_SETTINGS = declareSettings(
  'Passwords',
  {
    BCRYPT_COST: setting({
      schema: integer(12, 4, MAX_COST),
      summary:
        'The cost of password hashes: 2 to this power rounds. Production requires at least ' +
        `${MIN_COST}; \`npx latchkey doctor\` recommends a value for this machine.`,
      example: '12',
    }),
    HASH_THREADS: setting({
      schema: optionalInteger(1, 256),
      summary:
        'The number of threads that hash passwords. By default there is one for each core. Fewer leave ' +
        'more of the cores to other requests.',
      example: '2',
    }),
    PASSWORD_MIN_LENGTH: setting({
      schema: integer(8, 8, 64),
      summary: 'The shortest password, in characters.',
      example: '8',
    }),
    PWNED_PASSWORDS_URL: setting({
      schema: z
        .string()
        .refine(isHttpUrl, {
          error: 'expected an address such as https://api.pwnedpasswords.com/range',
        })
        .optional(),
      summary:
        'A range service of breached passwords. Latchkey sends it the first 5 digits of the SHA-1 of ' +
        'each new password.',
      example: 'https://api.pwnedpasswords.com/range',
    }),
  },
  (values, { production }) => {
    if (!production || values.BCRYPT_COST >= MIN_COST) return [];
    const expected = `expected a whole number from ${MIN_COST} to ${MAX_COST} in production`;
    return [{ name: 'BCRYPT_COST', expected }];
  },
);
