import type { DataSource } from 'typeorm';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { AuditKey } from '../src/audit-chain/audit-key.entity.js';
import { AuditMark } from '../src/audit-chain/audit-mark.entity.js';
import { AuditRetention } from '../src/audit/audit-retention.js';
import { auditRow } from '../src/audit/audit-row.js';
import { AuditSealer } from '../src/audit-chain/audit-sealer.js';
import { AuditService } from '../src/audit/audit.service.js';
import { currentContext } from '../src/common/request-context.js';
import { Database } from '../src/database/database.js';
import { Session } from '../src/sessions/session.entity.js';
import { sealAll, verify } from './support/audit.js';
import { databaseKind } from './support/databases.js';
import { GOOD_PASSWORD, SECRET, type Server, startServer } from './support/server.js';
import { startProcess } from './support/server-process.js';
import { runInHost } from './support/server-cli.js';
import { runTool } from './support/server-tools.js';

const DAY = 86_400_000;

const servers: Server[] = [];
const start = async (settings: Record<string, string> = {}) => {
  const on: Record<string, string> = servers[0] ? { DATABASE_URL: servers[0].database.url } : {};
  const server = await startServer({ ...on, ...settings });
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0).reverse()) await server.stop();
});

/** Records `count` rows, as if `age` milliseconds ago. */
async function record(server: Server, count: number, age = 0): Promise<void> {
  const at = new Date(Date.now() - age);
  const rows = Array.from({ length: count }, (_, i) => {
    const entry = { action: 'user_updated', subjectId: null, details: { i } } as const;
    return auditRow(entry, currentContext(), at);
  });
  await server.app
    .get(Database, { strict: false })
    .write((manager) => server.app.get(AuditService, { strict: false }).insert(manager, rows));
}

/** A server with ten sealed rows. */
async function tenRows(): Promise<Server> {
  const server = await start();
  await record(server, 10);
  await sealAll(server);
  expect(await verify(server)).toMatchObject({ faults: [], rows: 10, first: 1, unsealed: 0 });
  return server;
}

const query = (server: Server, ...statements: string[]) =>
  server.withDatabase(async (db: DataSource) => {
    for (const statement of statements) await db.query(statement);
  });

describe('what somebody with the database alone changes', () => {
  const changed = (seq: number) =>
    expect.stringMatching(
      new RegExp(`^row ${seq} \\(.*user_updated.*\\): it was changed$`),
    ) as string;
  const outOfPlace = (seq: number) =>
    expect.stringMatching(
      new RegExp(`^row ${seq} \\(.*\\): it was not sealed after row`),
    ) as string;

  it.each([
    ["action = 'login'", /^row 4 \(.*login.*\): it was changed$/],
    ["subject_id = 'somebody'", /^row 4 .*changed$/],
    ["actor_id = ''", /^row 4 .*changed$/],
    ['created_at = created_at - 1', /^row 4 .*changed$/],
    [`details = '{"i": 3}'`, /^row 4 .*changed$/],
    ["source = 'cli'", /^row 4 .*changed$/],
    ["address = '192.0.2.1'", /^row 4 .*changed$/],
    ["user_agent = ''", /^row 4 .*changed$/],
    ["id = 'another'", /^row 4 .*changed$/],
    ["mac = 'x.y'", /^row 4 .*changed, moved or inserted$/],
  ])('is found: %s', async (change, fault) => {
    const server = await tenRows();
    await query(server, `UPDATE audit_events SET ${change} WHERE seq = 4`);
    const { faults } = await verify(server);
    expect(faults[0]).toMatch(fault);
    expect(faults.length).toBe(1);
  });

  it('is found when it is removed: in the middle, at the beginning, at the end, all', async () => {
    const server = await tenRows();
    const remove = (where: string) => query(server, `DELETE FROM audit_events WHERE ${where}`);
    await remove('seq = 5');
    expect((await verify(server)).faults).toEqual(['row 5 is missing']);
    await remove('seq <= 2');
    expect((await verify(server)).faults).toEqual(['rows 1 to 2 are missing', 'row 5 is missing']);
    await remove('seq >= 9');
    expect((await verify(server)).faults).toEqual([
      'rows 1 to 2 are missing',
      'row 5 is missing',
      'rows 9 to 10, the last ones, are missing',
    ]);
    await remove('seq > 0');
    expect((await verify(server)).faults).toEqual(['rows 1 to 10, the last ones, are missing']);
  });

  it('is found when the rows after it move up', async () => {
    const server = await tenRows();
    const moved = [5, 6, 7, 8, 9, 10].map(
      (seq) => `UPDATE audit_events SET seq = ${seq - 1} WHERE seq = ${seq}`,
    );
    await query(server, 'DELETE FROM audit_events WHERE seq = 4', ...moved);
    expect((await verify(server)).faults.slice(0, 2)).toEqual([outOfPlace(4), outOfPlace(5)]);
  });

  it('is found when rows change places', async () => {
    const server = await tenRows();
    const move = (from: number, to: number) =>
      `UPDATE audit_events SET seq = ${to} WHERE seq = ${from}`;
    await query(server, move(4, 99), move(5, 4), move(99, 5));
    expect((await verify(server)).faults).toEqual([outOfPlace(4), outOfPlace(5), outOfPlace(6)]);
  });

  it.each([['NULL'], ['11'], ['0'], ['-7']])(
    'is found when it is put in, with the place %s, sealed over or not',
    async (place) => {
      const server = await tenRows();
      const columns =
        'created_at, action, subject_id, actor_id, source, details, origin_digest, mac, hash';
      await query(
        server,
        `INSERT INTO audit_events (id, seq, ${columns})
         SELECT 'put in', ${place}, ${columns} FROM audit_events WHERE seq = 3`,
      );
      const { faults, unsealed } = await verify(server);
      expect(faults.join()).toContain('(put in, user_updated');
      if (place !== 'NULL') return;
      expect(unsealed).toBe(1);
      await sealAll(server);
      expect((await verify(server)).faults).toEqual([changed(11)]);
    },
  );

  it('is found when a cut is hidden by the mark of the head, which is not sealed over', async () => {
    const server = await tenRows();
    await query(
      server,
      `UPDATE audit_marks SET seq = 8, hash = (SELECT hash FROM audit_events WHERE seq = 8)
       WHERE name = 'head'`,
      'DELETE FROM audit_events WHERE seq > 8',
    );
    expect((await verify(server)).faults[0]).toBe('the chain: its mark head was changed');
    await record(server, 1);
    const seal = server.app.get(AuditSealer, { strict: false }).seal();
    await expect(seal).rejects.toThrow('its mark head was changed');
    expect((await verify(server)).unsealed).toBe(1);
  });

  it('is found when an old head is put back, by who saw a later one', async () => {
    const server = await tenRows();
    const marks = await server.withDatabase((db) => db.getRepository(AuditMark).find());
    const early = marks.find(({ name }) => name === 'head');
    const noted = (await verify(server)).head;
    await record(server, 5);
    await sealAll(server);
    const later = (await verify(server, { expectHead: noted })).head;
    expect([noted.seq, later.seq]).toEqual([10, 15]);
    await query(server, 'DELETE FROM audit_events WHERE seq > 10');
    await server.withDatabase((db) =>
      db.getRepository(AuditMark).update({ name: 'head' }, { ...early }),
    );
    // Nothing in the database tells any more; an expected head does, and the server that sealed it.
    expect((await verify(server, { expectHead: noted })).faults).toEqual([]);
    expect((await verify(server, { expectHead: later })).faults).toEqual([
      'the chain ends at row 10, before the expected head 15',
    ]);
    expect((await verify(server, { expectHead: { ...noted, hash: 'x.y' } })).faults).toEqual([
      'row 10 is not the expected head',
    ]);
    await record(server, 1);
    const seal = server.app.get(AuditSealer, { strict: false }).seal();
    await expect(seal).rejects.toThrow('it ends at row 10, and was seen to go to 15');
  });

  it('is found when address and user agent are emptied of who was not deleted', async () => {
    const server = await start();
    const { id } = await server.register('ada');
    await sealAll(server);
    const empty = 'address = NULL, user_agent = NULL, origin_salt = NULL';
    await query(server, `UPDATE audit_events SET ${empty}`);
    expect((await verify(server)).faults).toEqual([
      expect.stringMatching(/^row 1 .*: address and user agent are gone, but/),
    ]);
    const audit = server.app.get(AuditService, { strict: false });
    await server.app
      .get(Database, { strict: false })
      .write((manager) => audit.record(manager, { action: 'user_deleted', subjectId: id }));
    expect((await verify(server)).faults).toEqual([]);
  });
});

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
      if (databaseKind === 'postgres') await new Promise<void>((resolve) => (commit = resolve));
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
          const body = JSON.stringify({ username: 'ada', password: GOOD_PASSWORD });
          const headers = { 'content-type': 'application/json' };
          const answer = await fetch(`${url}/login`, { method: 'POST', headers, body }).catch(
            () => undefined,
          );
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
    // A key of nobody is no excuse for what was sealed since.
    await query(after, "UPDATE audit_events SET mac = 'x.y', hash = 'x.y' WHERE seq = 6");
    expect((await verify(after)).faults[0]).toMatch(/^row 6 .*moved or inserted$/);
  });
});

describe('an audit that was tampered with before a start', () => {
  const env = (server: Server) => ({ DATABASE_URL: server.database.url, JWT_SECRET_KEY: SECRET });

  /** Starts the program on the same database, and stops it; resolves to what it wrote. */
  async function restart(server: Server): Promise<string> {
    const { child, listening, exit } = startProcess(server.database.dataDir, env(server));
    await listening;
    child.kill('SIGTERM');
    return (await exit).output;
  }

  const auditVerify = (server: Server, ...args: string[]) =>
    runInHost(server.database.dataDir, ['audit', 'verify', ...args], env(server));

  /** What was changed by a stranger, before the key was. */
  const TAMPERED = "UPDATE audit_events SET subject_id = 'somebody' WHERE seq = 4";

  it('is not vouched for after its key was damaged, and the start says so', async () => {
    const server = await tenRows();
    await query(server, TAMPERED, "UPDATE audit_keys SET sealed = 'AAAA'");
    const output = await restart(server);
    expect(output).toMatch(/"level":50.*The audit's key \S+ was damaged: a secret of this server/);
    expect(output).toMatch(/"level":50.*The audit has a new key: the stored one was damaged/);
    const { faults } = await verify(server);
    expect(faults).toEqual([expect.stringMatching(/^the key \S+ was damaged: the secret that/)]);
    expect((await auditVerify(server)).code).toBe(1);
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findBy({ action: 'audit_rekeyed' }),
    );
    expect(rows.map(({ details }) => JSON.parse(details ?? '') as unknown)).toEqual([
      {
        reason: 'damaged',
        start: expect.stringMatching(/^0::/) as string,
        head: expect.stringMatching(/^10:/) as string,
        rekeyed: expect.stringMatching(/^0::/) as string,
      },
    ]);
    // And again, as long as the damage is there.
    expect(await restart(server)).toMatch(/"level":50.*The audit's key \S+ was damaged/);
  });

  it('is unchecked, not whole, after its key was made to look like one of another secret', async () => {
    const server = await tenRows();
    await query(server, TAMPERED, "UPDATE audit_keys SET sealed = 'AAAA', secret_check = 'BBBB'");
    expect(await restart(server)).toMatch(
      /"level":50.*The audit has a new key: no secret here decrypts the stored one\. If you did not/,
    );
    expect(await verify(server)).toMatchObject({ faults: [], unchecked: 10 });
    const { code, stdout, stderr } = await auditVerify(server);
    expect([code, stdout]).toEqual([5, '']);
    expect(stderr).toMatch(
      /^10 rows could not be checked: .*\nrow .*audit_rekeyed.*: the audit got a new key here, .*\nThe audit could not be checked completely: 1[01] rows .*\nHead 1[01]:\S+\n$/,
    );
  });

  it('is unchecked after its keys were removed', async () => {
    const server = await tenRows();
    await query(server, TAMPERED, 'DELETE FROM audit_keys');
    expect(await restart(server)).toMatch(/"level":50.*new key: the stored ones are gone/);
    expect(await verify(server)).toMatchObject({
      unchecked: 10,
      rekeyedRows: [expect.stringContaining('audit_rekeyed')],
    });
    expect((await auditVerify(server)).code).toBe(5);
  });

  it('is noticed when all of it was emptied, until an operator notes a new head', async () => {
    const server = await start();
    await server.register('ada');
    await sealAll(server);
    await query(
      server,
      'DELETE FROM audit_events',
      'DELETE FROM audit_marks',
      'DELETE FROM audit_keys',
    );
    expect(await restart(server)).toMatch(
      /"level":50.*The audit has a new key: the whole audit is empty, although there are users/,
    );
    const fresh = await start();
    await record(fresh, 1);
    await sealAll(fresh);
    const found = await verify(fresh);
    expect(found).toMatchObject({
      faults: [],
      unchecked: 0,
      rekeyedRows: [expect.stringMatching(/^row 1 /)],
    });
    const { code, stderr } = await auditVerify(server);
    expect(code).toBe(5);
    expect(stderr).toMatch(/so older rows cannot be verified/);
    const head = `${found.head.seq}:${found.head.hash}`;
    expect(await auditVerify(server, '--expect-head', head)).toMatchObject({ code: 0, stderr: '' });
  });

  it('has no word to say at a first start, nor at one without a change', async () => {
    const server = await start();
    await server.register('ada');
    expect(await restart(server)).not.toMatch(/"level":50/);
    await sealAll(server);
    expect(await verify(server)).toMatchObject({ faults: [], rows: 1, rekeyedRows: [] });
  });

  it('shows a row that was put in with a key that is not stored, sealed over or not', async () => {
    const server = await tenRows();
    await query(
      server,
      `INSERT INTO audit_events (id, created_at, action, source, origin_digest, mac)
       VALUES ('put in', 1, 'login', 'request', '', 'AAAAAAAA.AAAA')`,
    );
    expect((await verify(server)).faults).toEqual([
      expect.stringMatching(/^row not yet sealed \(put in, .*: it was changed or inserted$/),
    ]);
    await sealAll(server);
    expect((await verify(server)).faults).toEqual([
      expect.stringMatching(/^row 11 \(put in, .*moved or inserted$/),
    ]);
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
    await query(server, 'DELETE FROM audit_events WHERE seq = 1101');
    expect((await verify(server)).faults).toEqual(['row 1101 is missing']);
  });

  it('does not remove what was made to look old', async () => {
    const server = await tenRows();
    await query(server, 'UPDATE audit_events SET created_at = 0 WHERE seq <= 3');
    await expect(retention(server).run()).rejects.toThrow('row 1 was tampered with');
    expect((await verify(server)).rows).toBe(10);
  });
});

describe('audit verify', () => {
  it('says that all is well with a head to note, or what is not, and its exit code does too', async () => {
    const server = await tenRows();
    const env = { DATABASE_URL: server.database.url, JWT_SECRET_KEY: SECRET };
    const run = (...args: string[]) =>
      runTool(server.database.dataDir, ['audit', 'verify', ...args], env);
    const well = await run();
    expect([well.code, well.stderr]).toEqual([0, '']);
    const [, head = ''] =
      /^The audit is intact: 10 rows \(1 to 10\)\.\nHead (10:\S+)\n$/.exec(well.stdout) ?? [];
    expect((await run('--expect-head', head)).code).toBe(0);
    await query(server, 'DELETE FROM audit_events WHERE seq = 5');
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
