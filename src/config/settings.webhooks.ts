import { z } from 'zod';
import { choice, duration, hasPlainHost, isLoopback, list } from './setting-types.js';
import type { Settings } from './settings.js';

/** What a secret has to be, by Standard Webhooks: 24 to 64 bytes. */
const SHORTEST = 24;
const LONGEST = 64;
/** Random bytes of that number have at least so many different ones, and hexadecimal digits too. */
const DIFFERENT = 8;

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
  const long = bytes.length >= SHORTEST && bytes.length <= LONGEST;
  return canonical && long && new Set(bytes).size >= DIFFERENT;
}

/** Where another service is told what happens to users. */
export const WEBHOOK_SETTINGS = {
  WEBHOOK_URL: webhookUrl.describe(
    'Address that is told of changes of users and sessions; if not set, none is',
  ),
  WEBHOOK_SECRET: webhookSecrets.describe(
    '`whsec_…` that signs it, needed with `WEBHOOK_URL`; several, with commas, while it changes',
  ),
  WEBHOOK_TLS: choice(['required', 'off'], 'required').describe(
    '`off` allows `http://`; a loopback address needs no TLS either way',
  ),
  WEBHOOK_TIMEOUT: duration('15s', 60).describe(
    'How long it may take to answer before it is asked again',
  ),
} as const;

/** Who is told of changes, and how; the timeout in seconds. */
export interface WebhookConfig {
  /** May hold a token of the receiver's: nothing for the log. */
  url: string;
  secrets: readonly string[];
  timeout: number;
}

/** What the settings mean for webhooks; undefined where nobody is told. */
export function webhookConfig(settings: Settings): WebhookConfig | undefined {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secrets, WEBHOOK_TIMEOUT: timeout } = settings;
  return url === undefined ? undefined : { url, secrets, timeout };
}

/** What is wrong with settings that are right by themselves. */
export function webhookIssues(settings: Settings): { name: string; expected: string }[] {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secrets, WEBHOOK_TLS: tls } = settings;
  if (url === undefined) return [];
  const { protocol, hostname } = new URL(url);
  const open = protocol === 'http:' && tls === 'required' && !isLoopback(hostname);
  return [
    ...(open ? [{ name: 'WEBHOOK_URL', expected: 'expected https://, or WEBHOOK_TLS=off' }] : []),
    ...(secrets.length === 0
      ? [{ name: 'WEBHOOK_SECRET', expected: 'needed with WEBHOOK_URL' }]
      : []),
  ];
}
