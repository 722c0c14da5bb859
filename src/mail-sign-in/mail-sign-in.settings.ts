import type { Config } from '../config/config.js';
import { choice } from '../config/setting-schemas.js';
import { declareSettings, setting } from '../config/setting.js';

export const MAIL_SIGN_IN_SETTINGS = declareSettings('Sign-in by mail', {
  SIGN_IN_BY_MAIL: setting({
    schema: choice(['off', 'on'], 'off'),
    summary: 'With `on`, users can sign in by a link or code that is mailed to them.',
    example: 'on',
  }),
});

/** Tells whether users can sign in by mail. */
export const isMailSignInOn = (config: Config): boolean =>
  config.of(MAIL_SIGN_IN_SETTINGS).SIGN_IN_BY_MAIL === 'on';

/** How often a network may ask for a mail to sign in by. */
export const MAIL_SIGN_IN_LIMIT = { name: 'mailSignIn', limit: '60/1h' };
