import type { DeliveryFailure } from '../outbox/outbox-worker.js';

/** What nodemailer's errors carry. */
interface NodemailerError extends Error {
  code: string;
  /** The system's code, where `code` is nodemailer's. */
  originalCode: string;
  command: string;
  response: string;
  responseCode: number;
}

/**
 * Reads an error of nodemailer, of a template, or of the file system. Lasting is what a server refuses
 * for this mail by a 5xx reply.
 */
export function mailFailure(error: unknown): DeliveryFailure {
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
