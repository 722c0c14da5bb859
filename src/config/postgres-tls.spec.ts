import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUnixSocket, readPostgresTls } from './postgres-tls.js';

const URL = 'postgres://ada:hunter2@db.example/latchkey';

let dir: string;
let pem: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-tls-'));
  pem = join(dir, 'a pem+file');
  writeFileSync(pem, 'PEM');
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** Returns which facts of the server are checked. */
function checks(query: string): string {
  const { ssl, optional } = readPostgresTls(
    `${URL}${query}`.replace('ROOT', encodeURIComponent(pem)),
  );
  if (ssl === false) return 'no TLS';
  if (!ssl.rejectUnauthorized) return optional ? 'nothing, TLS if there is any' : 'nothing';
  const checked = ssl.checkServerIdentity ? 'authority' : 'authority and name';
  return `${checked} by ${ssl.ca === 'PEM' ? 'the file' : "Node's list"}`;
}

it.each([
  ['', 'nothing, TLS if there is any'],
  ['?sslmode=disable', 'no TLS'],
  ['?sslmode=allow', 'nothing, TLS if there is any'],
  ['?sslmode=prefer', 'nothing, TLS if there is any'],
  ['?sslmode=prefer&sslrootcert=ROOT', 'nothing, TLS if there is any'],
  ['?sslmode=require', 'nothing'],
  ['?sslmode=require&sslrootcert=ROOT', 'authority by the file'],
  ['?sslmode=verify-ca&sslrootcert=ROOT', 'authority by the file'],
  ['?sslmode=verify-full&sslrootcert=ROOT', 'authority and name by the file'],
  ['?sslmode=verify-full&sslrootcert=system', "authority and name by Node's list"],
  ['?sslmode=verify-full', "authority and name by Node's list"],
  ['?sslrootcert=ROOT', 'authority and name by the file'],
  ['?ssl=true', "authority and name by Node's list"],
  ['?ssl=0', 'no TLS'],
])('reads %s as libpq: %s', (query, expected) => {
  expect(checks(query)).toBe(expected);
});

it.each([
  ['postgres://ada:hunter2@%2Fvar%2Frun%2Fpostgresql/latchkey?sslmode=require', true],
  ['postgres://%2Fvar%2Frun%2Fpostgresql/latchkey', true],
  ['postgres://ada@/latchkey?host=/var/run/postgresql&sslmode=require', true],
  ['postgres:///latchkey?sslmode=verify-full&host=%2Fvar%2Frun%2Fpostgresql', true],
  ['postgres://ada@db.example/latchkey?sslrootcert=%2Fca.pem', false],
  ['postgres://ada@db.example/latchkey?host=other.example', false],
])('finds whether %s is a Unix socket: %s', (url, expected) => {
  expect(isUnixSocket(url)).toBe(expected);
});

it('takes along a certificate of our own, and leaves the rest of the URL as it is', () => {
  const path = encodeURIComponent(pem);
  const query = `application_name=a+b&sslmode=require&sslcert=${path}&sslkey=${path}&host=%2Fvar%2Frun`;
  expect(readPostgresTls(`${URL}?${query}`)).toMatchObject({
    url: `${URL}?application_name=a+b&host=%2Fvar%2Frun`,
    ssl: { cert: 'PEM', key: 'PEM' },
  });
});

it.each([
  ['?sslmode=no-verify', 'sslmode is one of disable, allow, prefer'],
  ['?sslmode=VERIFY-FULL', 'sslmode is one of'],
  ['?ssl=no-verify', 'sslmode is one of'],
  ['?sslmode=require&sslnegotiation=direct', 'sslnegotiation is postgres'],
  ['?sslmode=verify-ca', 'sslmode=verify-ca asks for sslrootcert'],
  ['?sslmode=require&sslrootcert=system', 'sslrootcert=system asks for sslmode=verify-full'],
  ['?sslmode=verify-full&sslrootcert=/nowhere', 'the file that sslrootcert names cannot be read'],
  ['?sslmode=require&sslcert=/nowhere', 'the file that sslcert names cannot be read'],
])('refuses %s, showing nothing of the URL', (query, message) => {
  expect(() => readPostgresTls(URL + query)).toThrow(message);
  expect(() => readPostgresTls(URL + query)).not.toThrow(/hunter2|db\.example|nowhere/);
});
