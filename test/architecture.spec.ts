import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rooms a room may import from, beside itself: imports go one way. */
const BASE = ['common', 'config'];
const LOWER = [
  ...BASE,
  'database',
  'passwords',
  'users',
  'keys',
  'throttling',
  'mail',
  'one-time-tokens',
  'webhooks',
];
const ROOMS: Record<string, string[]> = {
  common: BASE,
  config: BASE,
  database: BASE,
  passwords: [...BASE, 'database'],
  webhooks: [...BASE, 'database'],
  users: [...BASE, 'database', 'webhooks'],
  keys: [...BASE, 'database'],
  throttling: [...BASE, 'keys'],
  mail: [...BASE, 'database', 'users', 'keys'],
  'one-time-tokens': [...BASE, 'database', 'users', 'keys'],
  audit: [...BASE, 'database', 'users', 'keys'],
  roles: [...BASE, 'database', 'users', 'audit'],
  sessions: [...LOWER, 'audit'],
  addresses: [...LOWER, 'audit', 'sessions'],
  auth: [...LOWER, 'audit', 'roles', 'sessions', 'addresses'],
  account: [...LOWER, 'audit', 'sessions', 'addresses', 'auth'],
  admin: [...LOWER, 'audit', 'roles', 'sessions', 'addresses', 'auth'],
  health: [...BASE, 'database'],
  telemetry: [...BASE, 'database'],
  doctor: [...BASE, 'database'],
  transfer: [...BASE, 'database', 'passwords', 'users', 'audit'],
  bootstrap: [...BASE, 'passwords', 'users', 'audit'],
  cli: [...LOWER, 'audit', 'sessions', 'transfer', 'doctor'],
};

/** The database's options list the entities and migrations of every room, and import nothing else. */
const LISTS_ENTITIES = 'database/database.options.ts';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

const importsOf = (file: string): string[] =>
  [...readFileSync(join('src', file), 'utf8').matchAll(/from '(\.\.?\/[^']+)'/g)].map(
    ([, path = '']) => join(file, '..', path),
  );

it('has every room in the table', () => {
  const rooms = files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]);
  expect([...new Set(rooms)].sort()).toEqual(Object.keys(ROOMS).sort());
});

it('imports one way', () => {
  const wrong: string[] = [];
  for (const file of files.filter((name) => name.includes('/'))) {
    const [room = ''] = file.split('/');
    for (const target of importsOf(file)) {
      const [other = ''] = target.split('/');
      const entity = file === LISTS_ENTITIES && target.endsWith('.entity.js');
      if (other !== room && !entity && !ROOMS[room]?.includes(other)) {
        wrong.push(`${file} imports ${target}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

it('reads the environment in one place and writes by no way that loses writes', () => {
  const sources = files
    .filter((file) => !file.endsWith('.spec.ts'))
    .map((file) => ({ file, text: readFileSync(join('src', file), 'utf8') }));
  const readers = sources
    .filter(({ text }) => text.includes('process.env'))
    .map(({ file }) => file);
  expect(readers).toEqual(['config/config.ts']);
  const writers = sources.filter(({ text }) => /\.(save|remove|softRemove|recover)\(/.test(text));
  expect(writers.map(({ file }) => file)).toEqual([]);
});

it('takes advisory locks by the names of one list alone', () => {
  const takers = files.filter((file) =>
    /pg_\w*advisory/.test(readFileSync(join('src', file), 'utf8')),
  );
  expect(takers).toEqual(['database/advisory-locks.ts']);
});
