import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rooms a room may import from, beside itself: imports go one way. */
const BASE = ['common', 'config'];
const LOWER = [
  ...BASE,
  'database',
  'outbox',
  'passwords',
  'users',
  'keys',
  'throttling',
  'mail',
  'html',
  'mailed-links',
];
export const ROOMS: Record<string, string[]> = {
  common: BASE,
  config: BASE,
  database: BASE,
  passwords: [...BASE, 'database'],
  outbox: [...BASE, 'database'],
  users: [...BASE, 'database', 'passwords'],
  webhooks: [...BASE, 'database', 'outbox', 'users'],
  keys: [...BASE, 'database'],
  throttling: [...BASE, 'keys'],
  mail: [...BASE, 'database', 'outbox', 'users', 'keys', 'throttling'],
  html: [...BASE, 'passwords', 'mail'],
  'mailed-links': [...BASE, 'database', 'users', 'keys', 'throttling', 'mail', 'html'],
  audit: [...BASE, 'database', 'users'],
  'audit-chain': [...BASE, 'database', 'users', 'keys', 'audit'],
  sessions: LOWER,
  auth: [...LOWER, 'audit', 'sessions'],
  recovery: [...LOWER, 'audit', 'sessions', 'auth'],
  factors: [...LOWER, 'audit', 'sessions', 'auth'],
  totp: [...LOWER, 'sessions', 'auth', 'factors'],
  'mail-sign-in': [...LOWER, 'sessions', 'auth'],
  passkeys: [...LOWER, 'audit', 'sessions', 'auth', 'factors'],
  pages: [...LOWER, 'sessions', 'auth', 'factors', 'passkeys', 'mail-sign-in', 'recovery'],
  account: [...LOWER, 'audit', 'sessions', 'auth'],
  'account-pages': [
    ...LOWER,
    'audit',
    'sessions',
    'auth',
    'pages',
    'account',
    'factors',
    'totp',
    'passkeys',
    'recovery',
  ],
  admin: [...LOWER, 'audit', 'sessions', 'auth', 'recovery'],
  openapi: [...BASE, 'auth'],
  observability: [...BASE, 'database'],
  operations: [...LOWER, 'audit', 'audit-chain', 'sessions'],
};

/** Latchkey's files of `src` that are in no room. */
const AT_THE_TOP = [
  'main.ts',
  'server.ts',
  'node-version.spec.ts',
  'app.module.ts',
  'app.setup.ts',
  'commands.ts',
  'latchkey.module.ts',
  'latchkey.ts',
  'tables.ts',
];

/** Every source file, as a path below `src`. */
export const sourceFiles = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.tsx?$/.test(file),
);

/** Whether a source file is the project's own, and not Latchkey's: it is in none of the rooms. */
export const isOwn = (file: string): boolean => {
  const [room = '', ...inside] = file.split('/');
  return inside.length === 0 ? !AT_THE_TOP.includes(room) : !(room in ROOMS);
};

/** Whether a class of this name is declared in one of the project's own files. */
export function isOwnClass(name: string): boolean {
  const declaration = new RegExp(`\\bclass ${name}\\b`);
  return sourceFiles
    .filter(isOwn)
    .some((file) => declaration.test(readFileSync(join('src', file), 'utf8')));
}
