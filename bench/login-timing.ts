/**
 * Whether an answer's time tells a known name from an unknown one: logs in with wrong passwords, one
 * known and one unknown name in turns, against the built server on 127.0.0.1, and compares medians.
 * Run by `npm run bench`; writes a table to the terminal and to bench/results.md.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

const ROUNDS = 5;
const LOGINS = 40;

const dir = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const child = spawn(process.execPath, ['dist/src/main.js'], {
  env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: dir },
});

try {
  const url = await new Promise<string>((found, failed) => {
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      const [, address] = /Server listening at (http:\/\/[\d.:]+)/.exec(output) ?? [];
      if (address) found(address);
    });
    child.once('exit', () => {
      failed(new Error(output));
    });
  });
  const post = async (path: string, body: object): Promise<{ status: number; ms: number }> => {
    const began = performance.now();
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    return { status: response.status, ms: performance.now() - began };
  };
  await post('/register', { username: 'known', password: 'correct horse battery staple' });

  const rows: string[] = [];
  const ratios: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
    for (let i = 0; i < LOGINS; i++) {
      // Which comes first changes, so that neither always follows the other.
      for (const username of i % 2
        ? (['known', 'unknown'] as const)
        : (['unknown', 'known'] as const)) {
        const { status, ms } = await post('/login', { username, password: `wrong password ${i}` });
        if (status !== 401) throw new Error(`expected 401, got ${status}`);
        times[username].push(ms);
      }
    }
    const known = median(times.known);
    const unknown = median(times.unknown);
    ratios.push(unknown / known);
    rows.push(
      `| ${round} | ${known.toFixed(1)} | ${unknown.toFixed(1)} | ${(unknown / known).toFixed(3)} |`,
    );
  }
  const text = [
    '# Benchmark',
    '',
    `Node ${process.version} on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; wrong password, bcrypt cost 12,`,
    `${LOGINS} logins a round with a known and an unknown name in turns.`,
    '',
    '| round | known, median ms | unknown, median ms | ratio |',
    '| --- | --- | --- | --- |',
    ...rows,
    `| median | | | ${median(ratios).toFixed(3)} |`,
    '',
  ].join('\n');
  console.log(text);
  writeFileSync('bench/results.md', text);
} finally {
  child.kill();
  rmSync(dir, { recursive: true, force: true });
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
