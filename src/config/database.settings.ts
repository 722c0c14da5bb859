import { z } from 'zod';
import { POSTGRES_WORDS, readPostgresTls } from './postgres-tls.js';
import { declareSettings, setting } from './setting.js';
import { duration, integer } from './setting-schemas.js';
import { urlFault } from './urls.js';

const databaseUrl = z
  .string()
  .refine((url) => /^sqlite:(?!.*:memory:).+|^postgres(ql)?:\/\/.+/.test(url), {
    error: 'expected sqlite:<path of a file> or postgres://…',
    abort: true,
  })
  .superRefine((url, ctx) => {
    const fault = url.startsWith('sqlite:') ? sqliteFault(url) : postgresFault(url);
    if (fault !== undefined) ctx.addIssue(fault);
  })
  .optional();

function sqliteFault(url: string): string | undefined {
  if (url.includes('?')) return 'a SQLite file takes no words after ?';
  if (/^sqlite:\s*~/.test(url)) return 'expected a path without ~, which no shell replaces';
  // Other programs read this as a file in the folder. Here it would be a file at the root of the disk.
  if (/^sqlite:\/\/[^/]/.test(url)) return 'expected sqlite:<path>, without // before it';
  return undefined;
}

function postgresFault(url: string): string | undefined {
  const fault = urlFault(url, POSTGRES_WORDS);
  if (fault !== undefined) return fault;
  try {
    readPostgresTls(url);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export const DATABASE_SETTINGS = declareSettings('Database', {
  DATABASE_URL: setting({
    schema: databaseUrl,
    summary: '`sqlite:<path>` or `postgres://…`. By default it is `latchkey.sqlite` in `DATA_DIR`.',
    example: 'postgres://latchkey:secret@127.0.0.1:5432/latchkey',
  }),
  DATABASE_POOL_SIZE: setting({
    schema: integer(10, 1, 1000),
    summary: 'The largest number of connections from one instance to PostgreSQL.',
    example: '10',
  }),
  DATABASE_TIMEOUT: setting({
    schema: duration('5s', 60),
    summary:
      'The longest time for one statement, and the longest wait for a connection, for a lock or for ' +
      'the turn to write to SQLite. After it, the server answers 503.',
    example: '5s',
  }),
});
