import { randomBytes, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { AuditMacs } from '../../src/audit-chain/audit-macs.js';
import { withMac } from '../../src/audit-chain/row-mac.js';
import { auditRow } from '../../src/audit/audit-row.js';
import { currentContext } from '../../src/common/request-context.js';
import type { Child } from '../child.js';
import { askWell, register, signIn } from '../client.js';
import { inTurns, LEFT_OUT, type OnDatabase, onEachDatabase, openToFill } from '../databases.js';
import { insertRows } from '../load.js';
import { interleave, median, type Plan, ratio } from '../measure.js';
import { digits, type Section, type Target } from '../report.js';
import { SECRET, type Stage } from '../stage.js';
import { logins } from './login.js';

const SMALL = 1_000;
/** Rows of each user; a page has 50. */
const EACH = 100;
const CLIENTS = 8;
const BATCH = 1_000;

/** Measures the cost of the audit for a login, and the cost of reading a long audit. */
export async function audit(plan: Plan): Promise<Section> {
  const rows: string[][] = [];
  const targets: Target[] = [];
  await onEachDatabase(plan, async (on) => {
    await throughput(on, plan, rows, targets);
    await reading(on, plan, rows, targets);
  });
  return {
    title: 'The audit',
    text:
      `Logins a second of ${CLIENTS} clients at cost ${plan.cost}, with the audit and with it taken out. ` +
      `Milliseconds of the newest 50 of a user's ${EACH} rows (\`GET /audit?subject=…\`), with ` +
      `${digits(SMALL)} and ${digits(plan.rows)} rows, one at a time and in turns. Medians; the ratio is ` +
      `the median of the rounds’.${LEFT_OUT}`,
    columns: ['', 'without, or few rows', 'with, or many', 'ratio'],
    rows,
    targets,
  };
}

async function throughput(
  { kind, stage, url }: OnDatabase,
  plan: Plan,
  rows: string[][],
  targets: Target[],
): Promise<void> {
  const start = async (audit: 'on' | 'off') => {
    const env = { DATABASE_URL: await url(audit) };
    const server = await stage.patient(`audit ${audit}`, audit, env);
    await register(server);
    return server;
  };
  const [off, on] = [await start('off'), await start('on')];
  const amount = plan.quick ? 24 : 96;
  const of = async (server: Child) => (await logins(server, CLIENTS, amount)).perSecond;
  const found = await interleave(plan.rounds, { without: () => of(off), with: () => of(on) });
  const measured = ratio(found.with, found.without);
  rows.push([
    `${kind}, logins/s`,
    digits(median(found.without)),
    digits(median(found.with)),
    digits(measured),
  ]);
  const what = `Logins a second on ${kind} with the audit, to those without`;
  targets.push({ what, measured, atLeast: 0.95, unit: ' ×' });
  await Promise.all([off.stop(), on.stop()]);
}

async function reading(
  { kind, stage, url }: OnDatabase,
  plan: Plan,
  rows: string[][],
  targets: Target[],
): Promise<void> {
  const small = await filled(stage, await url('small'), SMALL);
  const large = await filled(stage, await url('large'), plan.rows);
  const time = ({ server, admin, users }: Filled) => {
    let turn = 0;
    return async () => {
      const path = `/audit?subject=${users[turn++ % users.length]}`;
      return (await askWell(server, 'GET', path, { jwt: admin })).ms;
    };
  };
  const found = await inTurns(plan, plan.quick ? 30 : 200, time(small), time(large));
  const measured = ratio(found.many, found.few);
  rows.push([
    `${kind}, a user's audit, ms`,
    digits(median(found.few)),
    digits(median(found.many)),
    digits(measured),
  ]);
  targets.push({
    what: `The audit of one user of ${digits(plan.rows)} rows on ${kind}, to ${digits(SMALL)}`,
    measured,
    atMost: 1.1,
    unit: ' ×',
  });
}

interface Filled {
  server: Child;
  admin: string;
  users: string[];
}

/** A server whose audit has `count` rows, in turns of `count / EACH` users. */
async function filled(stage: Stage, url: string, count: number): Promise<Filled> {
  const server = await stage.latchkey(`Latchkey with ${count}`, {
    DATABASE_URL: url,
    JWT_EXPIRES: '1h',
  });
  await register(server);
  const [tokens] = await signIn(server, 1);
  const users = Array.from({ length: count / EACH }, () => randomUUID());
  const macs = new AuditMacs();
  macs.add('bench', randomBytes(32));
  const context = { ...currentContext(), address: '192.0.2.1', userAgent: 'a benchmark' };
  const dataSource = await openToFill(url);
  const runner = dataSource.createQueryRunner();
  const now = Date.now();
  for (let at = 0; at < count; at += BATCH) {
    const some = Array.from({ length: BATCH }, (_, i) => {
      const subjectId = users[(at + i) % users.length] ?? '';
      const entry = { action: 'login', subjectId, actorId: subjectId } as const;
      const row = withMac(macs, auditRow(entry, context, new Date(now - count + at + i)));
      // These rows count as sealed, at places that the server's own rows do not take.
      return { ...row, seq: -1 - at - i, hash: row.mac };
    });
    await runner.startTransaction();
    await insertRows(runner, AuditEvent, some);
    await runner.commitTransaction();
  }
  await runner.query(
    kindOf(url) === 'sqlite' ? 'PRAGMA wal_checkpoint(TRUNCATE)' : 'VACUUM ANALYZE',
  );
  await dataSource.destroy();
  const decoded = jwt.decode(tokens?.jwt ?? '', { complete: true });
  if (!decoded) throw new Error('not a token');
  const claims = { ...(decoded.payload as jwt.JwtPayload), roles: ['admin'] };
  const admin = jwt.sign(JSON.stringify(claims), SECRET, { header: decoded.header });
  return { server, admin, users };
}

const kindOf = (url: string): string => url.split(':')[0] ?? '';
