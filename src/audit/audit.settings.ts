import { declareSettings, setting } from '../config/setting.js';
import { DAY, duration } from '../config/setting-schemas.js';

export const AUDIT_SETTINGS = declareSettings('Audit', {
  AUDIT_RETENTION: setting({
    schema: duration('400d', 3650 * DAY),
    summary: 'How long Latchkey keeps rows of the audit, with their addresses and user agents.',
    example: '400d',
  }),
});
