import type { DeliveryFailure } from '../outbox/outbox-worker.js';

/** The fields of nodemailer's errors. */
interface NodemailerError extends Error {
  code: string;
  /** The system's code, if `code` is one of nodemailer. */
  originalCode: string;
  command: string;
  response: string;
  responseCode: number;
}

/**
 * Says what an error of nodemailer, of a template or of the file system means. A failure is permanent if the
 * server refuses this mail by a 5xx reply.
 */
export function mailFailure(error: unknown): DeliveryFailure {
  const { code, originalCode, responseCode, command, response, message } =
    error as Partial<NodemailerError>;
  const ofMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  // A refused sender means wrong settings, and must not lose every mail.
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
