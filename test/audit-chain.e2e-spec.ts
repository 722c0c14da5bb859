import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { AuditKey } from '../src/audit-chain/audit-key.entity.js';
import { AuditRetention } from '../src/audit/audit-retention.js';
import { AuditService } from '../src/audit/audit.service.js';
import { Database } from '../src/database/database.js';
import { Session } from '../src/sessions/session.entity.js';
import { alter, record, sealAll, tenRows, verify } from './support/audit.js';
import { ask } from './support/http.js';
import { databaseKind } from './support/databases.js';
import { GOOD_PASSWORD, SECRET, type Server } from './support/server.js';
import { latchkey } from './support/server-cli.js';
import { startProcess } from './support/server-process.js';
import { siblings } from './support/servers.js';

const DAY = 86_400_000;

const start = siblings();

describe('a deleted user', () => {
  it('leaves the rows, without address and user agent, and a whole chain', async () => {
    const server = await start();
    const { id } = await server.register('ada');
    await server.register('bob');
    await server.login('ada');
    const audit = server.app.get(AuditService, { strict: false });
    await server.app.get(Database, { strict: false }).transaction(async (manager) => {
      await audit.record(manager, { action: 'user_deleted', subjectId: id, actorId: null });
      await audit.forget(manager, id);
    });
    await sealAll(server);
    expect(await verify(server)).toMatchObject({ faults: [], rows: 4 });
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).find({ order: { createdAt: 'ASC', id: 'ASC' } }),
    );
    expect(rows.map(({ subjectId, address }) => [subjectId === id, address])).toEqual([
      [true, null],
      [false, '127.0.0.1'],
      [true, null],
      [true, null],
    ]);
  });
});

describe('several instances', () => {
  it('make one chain of what all of them record at once', async () => {
    const one = await start();
    const two = await start();
    const three = await start();
    await one.register('ada');
    const answers = await Promise.all(
      [one, two, three].flatMap((server) => Array.from({ length: 30 }, () => server.login('ada'))),
    );
    expect(answers).toHaveLength(90);
    await Promise.all([one, two, three].map((server) => sealAll(server)));
    expect(await verify(two)).toMatchObject({ faults: [], rows: 91, unsealed: 0 });
  });

  it('seal a row whose transaction commits late after later ones', async () => {
    const one = await start();
    const two = await start();
    const audit = one.app.get(AuditService, { strict: false });
    let commit: () => void = () => undefined;
    const late = one.app.get(Database, { strict: false }).transaction(async (manager) => {
      await audit.record(manager, { action: 'user_updated', subjectId: null });
      // SQLite has one writer: there it cannot be late.
      if (databaseKind() === 'postgres') await new Promise<void>((resolve) => (commit = resolve));
    });
    await record(two, 3);
    await sealAll(two);
    commit();
    await late;
    await sealAll(two);
    expect(await verify(two)).toMatchObject({ faults: [], rows: 4 });
  });
});

describe('a server that is killed', () => {
  it('has a row for every login it acknowledged, and goes on with a whole chain', async () => {
    const server = await start();
    await server.register('ada');
    const env = { DATABASE_URL: server.database.url, JWT_SECRET_KEY: SECRET };
    let acknowledged = 0;
    for (let round = 0; round < 2; round++) {
      const { child, listening, exit } = startProcess(server.database.dataDir, env);
      const url = await listening;
      let killed = false;
      const client = async () => {
        while (!killed) {
          const login = { username: 'ada', password: GOOD_PASSWORD };
          const answer = await ask(url, 'POST', '/login', login).catch(() => undefined);
          if (answer?.status === 200) acknowledged++;
          // In the middle of sealing as well: that begins a second after the start.
          if (acknowledged >= 60 * (round + 1)) killed = child.kill('SIGKILL') || killed;
        }
      };
      await Promise.all(Array.from({ length: 8 }, client));
      await exit;
    }
    await sealAll(server);
    const { faults, rows } = await verify(server);
    expect(faults).toEqual([]);
    const logins = await server.withDatabase(async (db) => [
      await db.getRepository(AuditEvent).countBy({ action: 'login' }),
      await db.getRepository(Session).count(),
    ]);
    // The other rows are of the registration, and of sessions that gave way to newer ones.
    expect(logins[0]).toBe(logins[1]);
    expect(logins[0]).toBeGreaterThanOrEqual(acknowledged);
    expect(rows).toBeGreaterThan(logins[0] ?? 0);
  });
});

describe('keys', () => {
  const A = 'an-e2e-secret-of-more-than-sixty-four-bytes-0123456789-abcdefghijklmnop';
  const B = 'another-e2e-secret-of-more-than-sixty-four-bytes-0123456789-abcdefghijkl';

  it('outlive rotations of the secret, each finished', async () => {
    const before = await start({ JWT_SECRET_KEY: A });
    await record(before, 3);
    await sealAll(before);
    const during = await start({ JWT_SECRET_KEY: B, JWT_PREVIOUS_SECRET_KEYS: A });
    await record(during, 3);
    await record(before, 3);
    await sealAll(during);
    const after = await start({ JWT_SECRET_KEY: B });
    await record(after, 3);
    await sealAll(after);
    expect(await verify(after)).toMatchObject({ faults: [], rows: 12, unchecked: 0 });
    expect(await after.withDatabase((db) => db.getRepository(AuditKey).count())).toBe(1);
  });

  it('begin anew where a leaked secret was replaced at once; the old one still verifies', async () => {
    const before = await start({ JWT_SECRET_KEY: A });
    await record(before, 3);
    await sealAll(before);
    const after = await start({ JWT_SECRET_KEY: B });
    await record(after, 3);
    await sealAll(after);
    const anew = [expect.stringMatching(/^row 4 \(.*, audit_rekeyed, /) as string];
    expect(await verify(after)).toMatchObject({
      faults: [],
      rows: 7,
      unchecked: 3,
      rekeyedRows: anew,
    });
    const both = await start({ JWT_SECRET_KEY: B, JWT_PREVIOUS_SECRET_KEYS: A });
    expect(await verify(both)).toMatchObject({
      faults: [],
      rows: 7,
      unchecked: 0,
      rekeyedRows: [],
    });
    // An unknown key excuses no fault in rows that were sealed after it.
    await alter(after, "UPDATE audit_events SET mac = 'x.y', hash = 'x.y' WHERE seq = 6");
    expect((await verify(after)).faults[0]).toMatch(/^row 6 .*moved or inserted$/);
  });
});

describe('retention', () => {
  const retention = (server: Server) => server.app.get(AuditRetention, { strict: false });

  it('removes what is old; the rest is whole, and says so', async () => {
    const server = await start({ AUDIT_RETENTION: '30d' });
    await record(server, 1_100, 31 * DAY);
    await sealAll(server);
    const { head } = await verify(server);
    await record(server, 4, 29 * DAY);
    await sealAll(server);
    await retention(server).run();
    await retention(server).run();
    await sealAll(server);
    expect(await verify(server, { expectHead: head })).toMatchObject({
      faults: [],
      first: 1_101,
      rows: 5,
    });
    const pruned = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findBy({ action: 'audit_pruned' }),
    );
    expect(pruned.map(({ details, source }) => [details, source])).toEqual([
      ['{"rows":1100}', 'server'],
    ]);
    await alter(server, 'DELETE FROM audit_events WHERE seq = 1101');
    expect((await verify(server)).faults).toEqual(['row 1101 is missing']);
  });

  it('does not remove what was made to look old', async () => {
    const server = await tenRows(await start());
    await alter(server, 'UPDATE audit_events SET created_at = 0 WHERE seq <= 3');
    await expect(retention(server).run()).rejects.toThrow('row 1 was tampered with');
    expect((await verify(server)).rows).toBe(10);
  });
});

describe('audit verify', () => {
  it('says that all is well with a head to note, or what is not, and its exit code does too', async () => {
    const server = await tenRows(await start());

    const run = (...args: string[]) => latchkey(server, ['audit', 'verify', ...args]);
    const well = await run();
    expect([well.code, well.stderr]).toEqual([0, '']);
    const [, head = ''] =
      /^The audit is intact: 10 rows \(1 to 10\)\.\nHead (10:\S+)\n$/.exec(well.stdout) ?? [];
    expect((await run('--expect-head', head)).code).toBe(0);
    await alter(server, 'DELETE FROM audit_events WHERE seq = 5');
    const ill = await run('--expect-head', head);
    expect([ill.code, ill.stderr]).toEqual([
      1,
      'row 5 is missing\nThe audit was tampered with: 1 faults in 9 rows.\n',
    ]);
    const misread = await run('--expect-head', 'x');
    expect([misread.code, misread.stderr]).toEqual([
      1,
      '--expect-head: expected a head such as 1234:AbCdEfGh.…\n',
    ]);
  });
});
