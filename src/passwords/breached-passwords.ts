import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import type { WeakPassword } from './password-policy.js';

/** The longest wait for the service, in milliseconds. */
const TIMEOUT = 1_000;

/** The longest answer, in bytes. A range has about a thousand lines of some 40 bytes. */
const MAX_ANSWER_BYTES = 262_144;

/**
 * Looks passwords up in a range service of breached passwords, such as Have I Been Pwned. The request carries
 * only the first five digits of the SHA-1 (k-anonymity), so the service learns neither the password nor its
 * hash. Answers have a padded length, so an eavesdropper learns neither.
 */
@Injectable()
export class BreachedPasswords {
  private readonly logger = new Logger(BreachedPasswords.name);
  private readonly results;
  private silent = false;

  constructor(
    private readonly config: Config,
    metrics: Metrics,
  ) {
    this.results = metrics.counter({
      name: 'latchkey_breached_password_checks_total',
      help: 'New passwords looked up: breached, clean, unanswered (let pass)',
      labelNames: ['result'],
    });
  }

  /**
   * Returns why a prepared password must not be used as a new one; undefined if it may. Also
   * undefined if no service is set, or if the service does not answer within a second. The log says so once,
   * until the service answers again.
   */
  async check(password: string): Promise<WeakPassword | undefined> {
    const { pwnedPasswordsUrl: url } = this.config;
    if (url === undefined) return undefined;
    const sha1 = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase();
    try {
      const range = await ask(`${url}/${sha1.slice(0, 5)}`);
      this.silent = false;
      const breached = has(range, sha1.slice(5));
      this.results.inc({ result: breached ? 'breached' : 'clean' });
      if (!breached) return undefined;
      return { reason: 'breached', msg: 'The password is known from a data breach' };
    } catch (error) {
      this.results.inc({ result: 'unanswered' });
      if (!this.silent) {
        const cause = (error as Error).message;
        this.logger.warn(`New passwords are not looked up in breaches: ${cause}`);
      }
      this.silent = true;
      return undefined;
    }
  }
}

async function ask(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { 'Add-Padding': 'true', 'User-Agent': 'latchkey' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT),
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  // An error that leaves the loop closes the connection.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('the service answers too much');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('latin1').trim();
  if (!response.ok) throw new Error(`the service answers ${response.status}`);
  if (text !== '' && !/^[\dA-F]{35}:\d{1,10}\r?$/im.test(text)) {
    throw new Error('the service answers something else');
  }
  return text;
}

/** Tells whether the range has `suffix`. Lines with a count of 0 are padding. */
function has(range: string, suffix: string): boolean {
  return range.split(/\r?\n/).some((line) => {
    const [entry = '', count = ''] = line.split(':');
    return entry.toUpperCase() === suffix && Number(count) > 0;
  });
}
