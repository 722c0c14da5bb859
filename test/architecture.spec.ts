import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOwn, ROOMS, sourceFiles } from './support/rooms.js';

const files = sourceFiles.filter((file) => !isOwn(file));

const importsOf = (file: string): string[] =>
  [...readFileSync(join('src', file), 'utf8').matchAll(/from '(\.\.?\/[^']+)'/g)].map(
    ([, path = '']) => join(file, '..', path),
  );

// Latchkey's own CI sets it: there no folder is a project's own.
if (process.env.LATCHKEY_CI) {
  it('has every room in the table', () => {
    expect(sourceFiles.filter(isOwn)).toEqual([]);
  });
}

it('has a folder for every room of the table', () => {
  const rooms = files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]);
  expect([...new Set(rooms)].sort()).toEqual(Object.keys(ROOMS).sort());
});

it('imports one way', () => {
  const wrong: string[] = [];
  for (const file of files.filter((name) => name.includes('/'))) {
    const [room = ''] = file.split('/');
    for (const target of importsOf(file)) {
      const [other = ''] = target.split('/');
      if (other !== room && !ROOMS[room]?.includes(other)) {
        wrong.push(`${file} imports ${target}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

it('reads environment and time in one place and writes by no way that loses writes', () => {
  const sources = files
    .filter((file) => !file.endsWith('.spec.ts'))
    .map((file) => ({ file, text: readFileSync(join('src', file), 'utf8') }));
  const readers = sources
    .filter(({ text }) => text.includes('process.env'))
    .map(({ file }) => file);
  expect(readers).toEqual(['config/environment.ts']);
  // Instances agree on the database's clock; the machine's is for what looks at the machine.
  const ownTime = sources.filter(({ text }) => /\bDate\.now\(|new Date\(\)/.test(text));
  const ofMachine = [
    'common/clock.ts',
    'operations/database-check.ts',
    'observability/telemetry.ts',
  ];
  expect(ownTime.map(({ file }) => file).filter((file) => !ofMachine.includes(file))).toEqual([]);
  const writers = sources.filter(({ text }) => /\.(save|remove|softRemove|recover)\(/.test(text));
  expect(writers.map(({ file }) => file)).toEqual([]);
});

it('starts a session in one place, which checks that the user may sign in', () => {
  const starters = files.filter((file) =>
    /SessionStartService|INTO sessions/.test(readFileSync(join('src', file), 'utf8')),
  );
  expect(starters.filter((file) => !file.startsWith('sessions/'))).toEqual([
    'auth/sign-ins.service.ts',
  ]);
});

it('takes advisory locks by the names of one list alone', () => {
  const takers = files.filter((file) =>
    /pg_\w*advisory/.test(readFileSync(join('src', file), 'utf8')),
  );
  expect(takers).toEqual(['database/advisory-locks.ts']);
});

it('loads the library that makes the OpenAPI document only to make it', () => {
  const loaders = sourceFiles.filter(
    (file) =>
      !file.startsWith('openapi/') &&
      /^import (?!type ).*from '@nestjs\/swagger'/m.test(readFileSync(join('src', file), 'utf8')),
  );
  expect(loaders.filter((file) => !isOwn(file))).toEqual([]);
});
