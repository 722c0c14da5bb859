import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseEnvFile, readEnvFile } from './env-file.js';
import './settings.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-env-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const TEXT = 'NODE_ENV=production\nPORT=3001\n';
const VALUES = { NODE_ENV: 'production', PORT: '3001' };
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('readEnvFile', () => {
  const read = (bytes: Uint8Array) => {
    const path = join(dir, '.env');
    writeFileSync(path, bytes);
    const { values, issues } = readEnvFile(path);
    return issues.length > 0 ? issues.map(({ expected }) => expected) : values;
  };

  it('reads UTF-8 and UTF-16, with a byte order mark or without', () => {
    expect(read(Buffer.from(TEXT))).toEqual(VALUES);
    expect(read(Buffer.from(`\ufeff${TEXT}`))).toEqual(VALUES);
    expect(read(utf16(TEXT))).toEqual(VALUES);
    expect(read(utf16(TEXT).swap16())).toEqual(VALUES);
    // Two files put together by `cat`.
    expect(read(Buffer.from(`A=1\n\ufeff${TEXT}`))).toEqual({ A: '1', ...VALUES });
  });

  it('refuses a file that is in UTF-16 from some line on, and one that is no text', () => {
    const mixed = Buffer.concat([Buffer.from(TEXT), Buffer.from('HOST=::\r\n', 'utf16le')]);
    expect(read(mixed)).toEqual([expect.stringContaining('UTF-16')]);
    expect(read(Buffer.from([0x41, 0x3d, 0xe9, 0x0a]))).toEqual([
      expect.stringContaining('neither in UTF-8 nor in UTF-16'),
    ]);
  });

  it('refuses a folder in the place of the file', () => {
    const { values, issues } = readEnvFile(dir);
    expect([values, issues.map(({ name }) => name)]).toEqual([{}, [dir]]);
  });

  it('reads nothing if there is no file', () => {
    expect(readEnvFile(join(dir, 'nowhere'))).toEqual({ values: {}, issues: [] });
  });
});

describe('parseEnvFile', () => {
  it.each(['port=3001', 'Node_Env=production'])('refuses %s, which would not be heeded', (text) => {
    const { values, issues } = parseEnvFile(text);
    expect([values, issues.length]).toEqual([{}, 1]);
    expect(issues[0]?.expected).toMatch(/did you mean (PORT|NODE_ENV)\?$/);
  });

  it.each([
    'A=1\r\nB=2\r\n',
    '  A = 1  \n\n# comment\nexport B=2 # more\n',
    'A="a # b"\nB=\'c "d"\' # more\nC=`e`',
    'A="one\\ntwo"\nB=\'one\\ntwo\'',
    'A="-----BEGIN\nx\n-----END"\nB=1',
    'A=\nB=""\nC=a=b==',
    'A_1=x\nA=https://u:p@h/?a=b&c=d',
  ])('reads %j as Node does', (text) => {
    expect(parseEnvFile(text)).toEqual({ values: parseEnv(text), issues: [] });
  });

  it('names each line that is no setting, without what it holds', () => {
    const text = [
      'A=1',
      'JWT_SECRET_KEY: canary',
      '$env:PORT="3000"',
      'set PORT=3000',
      '2ND=canary',
      'B="canary',
      'C="x" canary',
      'D=canary#canary',
      'E=2',
    ].join('\n');
    const { values, issues } = parseEnvFile(text);
    expect(values).toEqual({ A: '1', E: '2' });
    expect(issues.map(({ name }) => name)).toEqual(
      [2, 3, 4, 5, 6, 7, 8].map((number) => `.env, line ${number}`),
    );
    expect(JSON.stringify(issues)).not.toContain('canary');
  });

  it('passes over what npm prints before the output of a script', () => {
    const text = '\n> latchkey@0.1.0 latchkey\n> latchkey keys generate HS256\n\nA=1\n';
    expect(parseEnvFile(text)).toEqual({ values: { A: '1' }, issues: [] });
  });
});
