import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime, { type Address } from 'postal-mime';
import { until } from './wait.js';

/** A mail as its reader sees it. */
export interface ReadMail {
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string;
  messageId: string;
  /** By their names in lower case. */
  headers: ReadonlyMap<string, string>;
  /** The first link of the text, and what stands in it as `token`. */
  link: string | undefined;
  token: string | undefined;
  /** The first eight digits that stand alone in the text. */
  code: string | undefined;
}

/** Reads a mail as it goes over the wire. */
export async function readMail(source: string | Buffer): Promise<ReadMail> {
  const mail = await PostalMime.parse(source);
  const { to = [], from, subject = '', messageId = '' } = mail;
  // The line break before a boundary belongs to the boundary (RFC 2046, section 5.1.1).
  const [text = '', html = ''] = [mail.text, mail.html].map((part) => part?.replace(/\n$/, ''));
  const link = /https?:\/\/\S+/.exec(text)?.[0];
  return {
    to: to.map(written).join(', '),
    from: from ? written(from) : '',
    subject,
    text,
    html,
    messageId,
    headers: new Map(mail.headers.map(({ key, value }) => [key, value])),
    link,
    token: link === undefined ? undefined : (new URL(link).searchParams.get('token') ?? undefined),
    code: /^\d{8}$/m.exec(text)?.[0],
  };
}

const written = ({ name, address = '' }: Address): string =>
  name ? `"${name}" <${address}>` : address;

/** A server, or the folder of one. */
type WithDataDir = { config: { dataDir: string } };

/** The mails that were read, by their files. Tests look for a mail over and over, among up to a hundred others. */
const known = new Map<string, Promise<ReadMail>>();

/** Reads the mail in a file, once: the server writes it at once, and a retry writes the same mail. */
function readFileOnce(path: string): Promise<ReadMail> {
  const reading = known.get(path) ?? readFile(path).then(readMail);
  known.set(path, reading);
  return reading;
}

/** Every mail that a server without SMTP_URL has written so far, the oldest first. */
export async function mailsOf({ config }: WithDataDir): Promise<ReadMail[]> {
  const folder = join(config.dataDir, 'outbox');
  const files = await readdir(folder).catch(() => []);
  const whole = files.filter((file) => file.endsWith('.eml')).sort();
  return Promise.all(whole.map((file) => readFileOnce(join(folder, file))));
}

/** The `count`-th mail of `server` to `address`, when it is there. */
export function mailTo(server: WithDataDir, address: string, count = 1): Promise<ReadMail> {
  return until(async () => {
    const mails = await mailsOf(server);
    return mails.filter(({ to }) => to === address)[count - 1];
  }, `mail ${count} to ${address}`);
}

/** The newest mail of `server` to `address` whose subject is `subject`, when it is there. */
export function mailAbout(
  server: WithDataDir,
  address: string,
  subject: string,
): Promise<ReadMail> {
  return until(async () => {
    const mails = await mailsOf(server);
    return mails.filter((mail) => mail.to === address && mail.subject === subject).at(-1);
  }, `"${subject}" to ${address}`);
}
