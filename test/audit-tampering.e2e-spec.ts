import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { AuditMark } from '../src/audit-chain/audit-mark.entity.js';
import { AuditSealer } from '../src/audit-chain/audit-sealer.js';
import { AuditService } from '../src/audit/audit.service.js';
import { Database } from '../src/database/database.js';
import { alter, record, sealAll, tenRows, verify } from './support/audit.js';
import { SECRET, type Server } from './support/server.js';
import { latchkey } from './support/server-cli.js';
import { startProcess } from './support/server-process.js';
import { siblings } from './support/servers.js';

const start = siblings();

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
    const server = await tenRows(await start());
    await alter(server, `UPDATE audit_events SET ${change} WHERE seq = 4`);
    const { faults } = await verify(server);
    expect(faults[0]).toMatch(fault);
    expect(faults.length).toBe(1);
  });

  it('is found when it is removed: in the middle, at the beginning, at the end, all', async () => {
    const server = await tenRows(await start());
    const remove = (where: string) => alter(server, `DELETE FROM audit_events WHERE ${where}`);
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
    const server = await tenRows(await start());
    const moved = [5, 6, 7, 8, 9, 10].map(
      (seq) => `UPDATE audit_events SET seq = ${seq - 1} WHERE seq = ${seq}`,
    );
    await alter(server, 'DELETE FROM audit_events WHERE seq = 4', ...moved);
    expect((await verify(server)).faults.slice(0, 2)).toEqual([outOfPlace(4), outOfPlace(5)]);
  });

  it('is found when rows change places', async () => {
    const server = await tenRows(await start());
    const move = (from: number, to: number) =>
      `UPDATE audit_events SET seq = ${to} WHERE seq = ${from}`;
    await alter(server, move(4, 99), move(5, 4), move(99, 5));
    expect((await verify(server)).faults).toEqual([outOfPlace(4), outOfPlace(5), outOfPlace(6)]);
  });

  it.each([['NULL'], ['11'], ['0'], ['-7']])(
    'is found when it is put in, with the place %s, sealed over or not',
    async (place) => {
      const server = await tenRows(await start());
      const columns =
        'created_at, action, subject_id, actor_id, source, details, origin_digest, mac, hash';
      await alter(
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
    const server = await tenRows(await start());
    await alter(
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
    const server = await tenRows(await start());
    const marks = await server.withDatabase((db) => db.getRepository(AuditMark).find());
    const early = marks.find(({ name }) => name === 'head');
    const noted = (await verify(server)).head;
    await record(server, 5);
    await sealAll(server);
    const later = (await verify(server, { expectHead: noted })).head;
    expect([noted.seq, later.seq]).toEqual([10, 15]);
    await alter(server, 'DELETE FROM audit_events WHERE seq > 10');
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
    await alter(server, `UPDATE audit_events SET ${empty}`);
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

describe('an audit that was tampered with before a start', () => {
  /** Starts the program on the same database, and stops it; resolves to what it wrote. */
  async function restart(server: Server): Promise<string> {
    const env = { DATABASE_URL: server.database.url, JWT_SECRET_KEY: SECRET };
    const { child, listening, exit } = startProcess(server.database.dataDir, env);
    await listening;
    child.kill('SIGTERM');
    return (await exit).output;
  }

  const auditVerify = (server: Server, ...args: string[]) =>
    latchkey(server, ['audit', 'verify', ...args]);

  /** What was changed by a stranger, before the key was. */
  const TAMPERED = "UPDATE audit_events SET subject_id = 'somebody' WHERE seq = 4";

  it('is not vouched for after its key was damaged, and the start says so', async () => {
    const server = await tenRows(await start());
    await alter(server, TAMPERED, "UPDATE audit_keys SET sealed = 'AAAA'");
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
    const server = await tenRows(await start());
    await alter(server, TAMPERED, "UPDATE audit_keys SET sealed = 'AAAA', secret_check = 'BBBB'");
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
    const server = await tenRows(await start());
    await alter(server, TAMPERED, 'DELETE FROM audit_keys');
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
    await alter(
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
    const server = await tenRows(await start());
    await alter(
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
