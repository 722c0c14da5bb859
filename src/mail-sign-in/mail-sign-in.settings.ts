import { choice } from '../config/setting-schemas.js';
import { declareSettings, setting } from '../config/setting.js';

export const MAIL_SIGN_IN_SETTINGS = declareSettings('Sign-in by mail', {
  SIGN_IN_BY_MAIL: setting({
    schema: choice(['off', 'on'], 'off'),
    summary: 'With `on`, users can sign in by a link or code that is mailed to them.',
    example: 'on',
  }),
});
