import { z } from 'zod';
import { declareSettings, setting } from '../config/setting.js';

export const PLACES_SETTINGS = declareSettings('Account pages', {
  GEOIP_DATABASE: setting({
    schema: z
      .string()
      .refine((path) => /\.mmdb$/i.test(path) && !path.startsWith('~'), {
        error: 'expected the path of a database such as GeoLite2-City.mmdb',
      })
      .optional(),
    summary:
      'A file in the MMDB format with the cities or countries of IP addresses, such as GeoLite2 City or DB-IP City ' +
      'Lite. The page of devices then shows the place of each. The server notices a newer file.',
    example: 'GeoLite2-City.mmdb',
  }),
});
