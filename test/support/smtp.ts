import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { readMail, type ReadMail } from './mailbox.js';

/** The certificate of the test servers, for localhost, 127.0.0.1 and 0.0.0.0. */
export const CERTIFICATE = 'test/support/smtp-cert.pem';

/** A mail with the addresses of its envelope, and whether it came over TLS. */
export interface DeliveredMail extends ReadMail {
  sender: string;
  recipients: string[];
  secure: boolean;
}

/** A refusal with an SMTP reply code. */
export function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

/**
 * A real SMTP server on a free port of this machine, without TLS unless asked for. `received` holds
 * what it took; `options.hold` is waited for before a mail is acknowledged.
 */
export async function startSmtp({
  hold,
  ...options
}: SMTPServerOptions & { hold?: (mail: DeliveredMail) => Promise<void> } = {}) {
  const received: DeliveredMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.secure ? [] : ['STARTTLS'],
    key: readFileSync('test/support/smtp-key.pem'),
    cert: readFileSync(CERTIFICATE),
    onData(stream, session, done) {
      const { mailFrom, rcptTo } = session.envelope;
      const take = async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        const mail = {
          ...(await readMail(Buffer.concat(chunks))),
          sender: mailFrom ? mailFrom.address : '',
          recipients: rcptTo.map(({ address }) => address),
          secure: session.secure,
        };
        await hold?.(mail);
        received.push(mail);
      };
      take().then(() => {
        done();
      }, done);
    },
    ...options,
  });
  // A client that breaks off, or does not trust the certificate, is part of the tests.
  server.on('error', () => undefined);
  await new Promise<void>((listening) => {
    server.listen(0, '0.0.0.0', listening);
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    received,
    stop: () =>
      new Promise<void>((stopped) => {
        server.close(stopped);
        for (const connection of server.connections) connection.close();
      }),
  };
}

export type Smtp = Awaited<ReturnType<typeof startSmtp>>;
