import { DataSource } from 'typeorm';
import { Database } from '../../src/database/database.js';
import { MailWorker } from '../../src/mail/mail-worker.js';
import { MailService, type NewMail } from '../../src/mail/mail.service.js';
import { MailItem } from '../../src/mail/mail-item.entity.js';
import { until } from './wait.js';
import { type Server, startServer } from './server.js';
import { type Smtp, startSmtp } from './smtp.js';

/** What stands in the mails of these tests. */
export const CODE = '01234567';
export const LINK = 'https://accounts.example.com/email/verify?token=canary-token';

/** A mail with a link and a code, good for 30 minutes. */
export const verification = (to: string, more: Partial<NewMail> = {}) => ({
  to,
  userId: null,
  template: 'verify-email',
  values: { link: LINK, code: CODE },
  validFor: 1_800,
  ...more,
});

/** Stores mails as a flow does. */
export function enqueue(server: Server, ...mails: NewMail[]) {
  return server.app.get(Database).transaction(async (manager) => {
    for (const mail of mails) await server.app.get(MailService).enqueue(manager, mail);
  });
}

/** What is in the outbox. */
export const rows = (server: Server) =>
  server.app
    .get(DataSource)
    .getRepository(MailItem)
    .find({ order: { createdAt: 'ASC' } });

/** Resolves when nothing is in the outbox. */
export const emptied = (server: Server) =>
  until(async () => (await rows(server)).length === 0, 'an empty outbox');

/** Resolves to the mail that was tried in vain, and put back. */
export const putBack = (server: Server) =>
  until(async () => (await rows(server)).find(({ failure }) => failure !== null), 'a try');

/** Changes what is in the outbox, as the passing of time does. */
export const change = (server: Server, values: Partial<MailItem>) =>
  server.withDatabase((db) => db.getRepository(MailItem).updateAll(values));

/** Makes the worker of `server` look into the outbox, where what waits is due by now. */
export async function later(server: Server): Promise<void> {
  await change(server, { dueAt: new Date() });
  server.app.get(MailWorker).wake();
}

/** For `startServer`: a server that stores mail and sends none. */
export const storing: NonNullable<Parameters<typeof startServer>[1]> = (builder) =>
  builder
    .overrideProvider(MailWorker)
    .useValue({ wake: () => undefined, answerWith: () => undefined });

/** Settings that send over `smtp`. */
export const over = (smtp: Smtp, more: Record<string, string> = {}) => ({
  SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
  MAIL_FROM: 'Example <no-reply@example.com>',
  ...more,
});

/** Starts servers that `stopAll` stops. */
export function servers() {
  const running: { stop(): Promise<unknown> }[] = [];
  const kept = <T extends { stop(): Promise<unknown> }>(server: T): T => {
    running.push(server);
    return server;
  };
  return {
    smtp: async (...options: Parameters<typeof startSmtp>) => kept(await startSmtp(...options)),
    latchkey: async (...options: Parameters<typeof startServer>) =>
      kept(await startServer(...options)),
    stopAll: async () => {
      for (const server of running.splice(0).reverse()) await server.stop();
    },
  };
}
