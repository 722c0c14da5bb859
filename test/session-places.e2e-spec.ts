import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mmdbFile } from './support/mmdb.js';
import { browser } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { startProcess } from './support/server-process.js';

const GERMANY = { names: { en: 'Germany', de: 'Deutschland' } };
const RECORDS = {
  '203.0.113.0/24': { city: { names: { en: 'Cologne', de: 'Köln' } }, country: GERMANY },
  '198.51.100.0/24': { country: GERMANY },
  '192.0.2.0/24': { city: { names: { en: '<b>Paris' } }, country: { names: { en: 'France' } } },
  '2001:db8:0:0:0:0:0:0/32': { country: GERMANY },
  '10.0.0.0/8': { country: { names: { en: 'Nowhere' } } },
};

const dir = mkdtempSync(join(tmpdir(), 'latchkey-places-'));
const file = join(dir, 'places.mmdb');
let time = 1_700_000_000;

/** Replaces the database, as the program of its publisher does. */
function write(bytes: string | Buffer): void {
  writeFileSync(file, bytes);
  utimesSync(file, ++time, time);
}

let server: Server;
beforeAll(async () => {
  write(mmdbFile(RECORDS));
  server = await startServer({ TRUST_PROXY: '1', GEOIP_DATABASE: file });
});
beforeEach(() => {
  write(mmdbFile(RECORDS));
});
afterAll(async () => {
  await server.stop();
  rmSync(dir, { recursive: true });
});

let users = 0;

/** Signs in from an address. Returns how the page of devices names it. */
async function namesOf(address: string, language = 'en'): Promise<string | undefined> {
  const username = `traveller${++users}`;
  await server.register(username);
  const headers = { 'x-forwarded-for': address, 'accept-language': language };
  const visitor = browser(server, headers);
  await visitor.signIn(username, GOOD_PASSWORD);
  const { status, text } = await visitor.get('/account/sessions');
  expect(status).toBe(200);
  return /<\/time>([^<]*)/.exec(text)?.[1];
}

it('shows the place of an address, in the reader’s language if the database has it', async () => {
  expect([
    await namesOf('203.0.113.7'),
    await namesOf('203.0.113.7', 'de'),
    await namesOf('198.51.100.1'),
    await namesOf('192.0.2.1', 'de'),
    await namesOf('2001:db8::1'),
  ]).toEqual([
    ' · Cologne, Germany (203.0.113.7)',
    ' · Köln, Deutschland (203.0.113.7)',
    ' · Germany (198.51.100.1)',
    ' · &lt;b>Paris, France (192.0.2.1)',
    ' · Germany (2001:db8::1)',
  ]);
});

it('shows the address alone if it is private or unknown', async () => {
  for (const address of ['10.0.0.1', '192.0.3.1', '2001:db9::1', '::1']) {
    expect(await namesOf(address)).toBe(` · ${address}`);
  }
  // The first half of this address, read as IPv4, is in the database.
  write(mmdbFile({ '32.1.0.0/16': { country: GERMANY } }, { version: 4 }));
  expect(await namesOf('2001:db8::1')).toBe(' · 2001:db8::1');
  expect(await namesOf('32.1.0.1')).toBe(' · Germany (32.1.0.1)');
});

it('shows no name that a page cannot show as one line', async () => {
  const country = GERMANY;
  const names: (string | number | Record<string, string>)[] = [
    'Cologne\u202E',
    'Co\nlogne',
    'Cologne'.repeat(30),
    5,
    { of: 'Cologne' },
  ];
  for (const en of names) {
    write(mmdbFile({ '203.0.113.0/24': { city: { names: { en } }, country } }));
    expect(await namesOf('203.0.113.7')).toBe(' · Germany (203.0.113.7)');
  }
  write(mmdbFile({ '203.0.113.0/24': { city: 'Cologne', country: { names: 5 } } }));
  expect(await namesOf('203.0.113.7')).toBe(' · 203.0.113.7');
  for (const en of ['القاهرة', "L'Haÿ-les-Roses", 'São Tomé & Príncipe']) {
    write(mmdbFile({ '203.0.113.0/24': { city: { names: { en } }, country } }));
    expect(await namesOf('203.0.113.7')).toContain(`${en.replace('&', '&amp;')}, Germany`);
  }
});

it('reads a file that could not be read, though its time is the same', async () => {
  rmSync(file);
  mkdirSync(file);
  utimesSync(file, ++time, time);
  expect(await namesOf('203.0.113.7')).toBe(' · 203.0.113.7');
  rmSync(file, { recursive: true });
  time--;
  write(mmdbFile(RECORDS));
  expect(await namesOf('203.0.113.7')).toBe(' · Cologne, Germany (203.0.113.7)');
});

it('reads a newer file, and shows addresses alone while the file cannot be read', async () => {
  const before = server.log.length;
  write(mmdbFile({ '203.0.113.0/24': { country: { names: { en: 'France' } } } }));
  expect(await namesOf('203.0.113.7')).toBe(' · France (203.0.113.7)');
  const whole = mmdbFile(RECORDS);
  const damaged = Buffer.from(whole);
  // All records of the tree lead past the end of the data.
  damaged.fill(0xff, 0, 600);
  for (const bytes of ['', 'half of a file', whole.subarray(0, 200), damaged]) {
    write(bytes);
    expect(await namesOf('203.0.113.7')).toBe(' · 203.0.113.7');
  }
  const failures = server.log
    .slice(before)
    .filter(({ msg }) => /GEOIP_DATABASE failed/.test(String(msg)));
  expect(failures).toHaveLength(1);
  write(whole);
  expect(await namesOf('203.0.113.7')).toBe(' · Cologne, Germany (203.0.113.7)');
});

it('tells other clients no places', async () => {
  const { jwt } = await server.login(`traveller${users}`);
  const { text } = await server.ask('get', '/me/sessions', jwt).expect(200);
  expect(text).toContain('203.0.113.7');
  expect(text).not.toContain('Cologne');
});

it('refuses to start with a file that has no places', async () => {
  const refusal = 'The file that GEOIP_DATABASE names is not an MMDB database of places';
  write('no database');
  await expect(startServer({ GEOIP_DATABASE: file })).rejects.toThrow(refusal);
  write(mmdbFile({ '203.0.113.0/24': { number: 1 } }, { type: 'GeoLite2-ASN' }));
  await expect(startServer({ GEOIP_DATABASE: file })).rejects.toThrow(refusal);
  const { exit } = startProcess(dir, { GEOIP_DATABASE: '/nowhere/places.mmdb' });
  const { code, output } = await exit;
  const missing = 'The file that GEOIP_DATABASE names cannot be read: ENOENT';
  expect([code, output]).toEqual([1, expect.stringContaining(missing)]);
});
