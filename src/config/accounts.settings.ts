import { declareSettings, setting } from './setting.js';
import { choice } from './setting-schemas.js';

export const ACCOUNT_SETTINGS = declareSettings('Accounts', {
  IDENTIFIER: setting({
    schema: choice(['both', 'username', 'email'], 'both'),
    summary:
      'How people sign in: with a username, with the e-mail address of an account that has no username, or ' +
      'with `both`.',
    example: 'email',
  }),
});
