import { randomInt } from 'node:crypto';

/** What a failed try means. */
export interface MailFailure {
  /** The server refused this mail for good (a 5xx reply); another try would be in vain. */
  permanent: boolean;
  /** It is not about this mail: the server was not reached, or it does not let this sender in. */
  ofServer: boolean;
  /** For the log and the outbox: nothing of a server's reply, which may quote the address. */
  text: string;
}

/** What nodemailer's errors carry. */
interface NodemailerError extends Error {
  code: string;
  /** The system's code, where `code` is nodemailer's. */
  originalCode: string;
  command: string;
  response: string;
  responseCode: number;
}

/** Reads an error of nodemailer, of a template, or of the file system. */
export function mailFailure(error: unknown): MailFailure {
  const { code, originalCode, responseCode, command, response, message } =
    error as Partial<NodemailerError>;
  const ofMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  // Who may not send at all would lose every mail to a slip in the settings.
  const ofSender = command === 'MAIL FROM';
  const lasting = responseCode === undefined || responseCode >= 500;
  const quotes = ofMail || response !== undefined;
  const known = quotes ? [code, command, responseCode?.toString()] : [code, originalCode, message];
  return {
    permanent: ofMail && !ofSender && lasting,
    ofServer: code !== undefined && (!ofMail || ofSender),
    text: known.filter(Boolean).join(' ').replaceAll(/\s+/g, ' ').slice(0, 255),
  };
}

/** Backoff: 15 s after the first try, twice as much after each, up to 2 h. In milliseconds. */
const FIRST = 15_000;
const LAST = 7_200_000;

/** How long to wait after the `attempts`-th try, give or take a quarter, so that not all come at once. */
export function backoff(attempts: number): number {
  const even = Math.min(FIRST * 2 ** (attempts - 1), LAST);
  return Math.round((even * randomInt(750, 1251)) / 1000);
}
