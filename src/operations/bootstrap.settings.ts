import { z } from 'zod';
import { declareSettings, setting } from '../config/setting.js';

export const BOOTSTRAP_SETTINGS = declareSettings('First administrator', {
  BOOTSTRAP_ADMIN: setting({
    schema: z.string().optional(),
    summary:
      'If no user has the role `admin`, the start creates a user of this name with it, and writes a ' +
      'password to `bootstrap-admin` in `DATA_DIR`.',
    example: 'ada',
  }),
});
