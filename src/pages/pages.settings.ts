import { choice } from '../config/setting-schemas.js';
import { declareSettings, setting } from '../config/setting.js';

export const PAGES_SETTINGS = declareSettings('Pages', {
  PAGES: setting({
    schema: choice(['on', 'off'], 'on'),
    summary:
      'Whether browsers get pages to register, sign in and manage the account. Mailed links have their pages ' +
      'in any case.',
    example: 'off',
  }),
});
