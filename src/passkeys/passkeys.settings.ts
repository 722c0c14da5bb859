import { isIP } from 'node:net';
import { z } from 'zod';
import { declareSettings, setting } from '../config/setting.js';
import { list } from '../config/setting-schemas.js';
import { isHostname, isOrigin } from '../config/urls.js';

const rpId = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => text.length <= 253 && isHostname(text) && isIP(text) === 0, {
    error: 'expected a domain such as example.com, without https:// and without a port',
  })
  .optional();

/** The origin of an Android app: the SHA-256 of its signing certificate, in base64url. */
export const isAppOrigin = (text: string): boolean => /^android:apk-key-hash:[\w-]{43}$/.test(text);

const origins = z
  .string()
  .default('')
  .transform(list)
  .refine((texts) => texts.every((text) => isOrigin(text) || isAppOrigin(text)), {
    error: 'expected a comma-separated list of exact origins such as https://app.example.com',
  });

export const PASSKEY_SETTINGS = declareSettings('Passkeys', {
  WEBAUTHN_RP_ID: setting({
    schema: rpId,
    summary:
      'The domain that passkeys are for, by default the host of `PUBLIC_URL`. Pages of this domain and of ' +
      'those below it can use them. Choose it once: a change makes all passkeys useless.',
    example: 'example.com',
  }),
  WEBAUTHN_ORIGINS: setting({
    schema: origins,
    summary:
      'Further origins whose pages may use passkeys, separated by commas; the origin of `PUBLIC_URL` always may. ' +
      'Origins of other domains are related origins, which `/.well-known/webauthn` lists for browsers. An ' +
      'Android app is `android:apk-key-hash:…`.',
    example: 'https://app.example.com',
  }),
});
