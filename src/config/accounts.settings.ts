import { declareSettings, setting } from './setting.js';
import { choice } from './setting-schemas.js';

export const ACCOUNT_SETTINGS = declareSettings('Accounts', {
  IDENTIFIER: setting({
    schema: choice(['both', 'username', 'email'], 'both'),
    summary:
      'How people sign in: with a `username`, with the address (`email`), or with `both`. With `email` an account ' +
      'has no username, and `POST /register` takes an address and a password.',
    example: 'email',
  }),
});
