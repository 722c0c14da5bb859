import { z } from 'zod';
import { isPrivateHost } from '../common/network.js';
import { declareSettings, setting, type SettingIssue } from '../config/setting.js';
import { list } from '../config/setting-schemas.js';
import { isWellKnown } from '../config/secret-strength.js';
import { hasPlainHost } from '../config/urls.js';

/** The length of a secret in bytes, by Standard Webhooks. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
/** Random bytes of this number have at least this many different ones. Hexadecimal digits do too. */
const MIN_DIFFERENT = 8;

const webhookUrl = z
  .string()
  .refine(
    (text) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      return (
        /^https?:$/.test(url?.protocol ?? '') &&
        hasPlainHost(text) &&
        !url?.username &&
        !url?.password &&
        !url?.hash
      );
    },
    { error: 'expected an address such as https://app.example.com/webhooks, without a password' },
  )
  .optional();

const webhookSecrets = z
  .string()
  .optional()
  .transform((text, ctx): string[] => {
    const secrets = list(text ?? '');
    if (secrets.every(isStrong)) return secrets;
    ctx.addIssue(
      'expected whsec_ and the base64 of 24 to 64 random bytes, several with commas between: ' +
        'echo "whsec_$(openssl rand -base64 32)"',
    );
    return z.NEVER;
  });

function isStrong(secret: string): boolean {
  const [, base64 = ''] = /^whsec_([A-Za-z\d+/]+={0,2})$/.exec(secret) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  const canonical = base64 !== '' && bytes.toString('base64') === base64;
  const long = bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES;
  return canonical && long && new Set(bytes).size >= MIN_DIFFERENT;
}

export const WEBHOOK_SETTINGS = declareSettings(
  'Webhooks',
  {
    WEBHOOK_URL: setting({
      schema: webhookUrl,
      summary:
        'The address that Latchkey tells of changes to users and sessions. Without it, Latchkey sends ' +
        'no webhooks. `http://` is allowed only to a private address, or to a name without a dot, or ' +
        'ending in `.internal` or `.local`.',
      example: 'https://app.example.com/webhooks',
    }),
    WEBHOOK_SECRET: setting({
      schema: webhookSecrets,
      summary:
        'The secret `whsec_…` that signs webhooks, required with `WEBHOOK_URL`. While it changes, give ' +
        'both, separated by a comma.',
      example: '',
      command: 'echo "whsec_$(openssl rand -base64 32)"',
      needs: 'WEBHOOK_URL',
    }),
  },
  ({ WEBHOOK_URL: url, WEBHOOK_SECRET: secrets }, { production }) => {
    const issues: SettingIssue[] = [];
    if (production && secrets.some(isWellKnown)) {
      const expected = 'expected a secret that was never published';
      issues.push({ name: 'WEBHOOK_SECRET', expected });
    }
    if (url === undefined) return issues;
    const { protocol, hostname } = new URL(url);
    if (protocol === 'http:' && !isPrivateHost(hostname)) {
      issues.push({ name: 'WEBHOOK_URL', expected: 'expected https:// across the internet' });
    }
    if (secrets.length === 0) {
      issues.push({ name: 'WEBHOOK_SECRET', expected: 'needed with WEBHOOK_URL' });
    }
    return issues;
  },
);
