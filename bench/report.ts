import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';

/** A target, and the measured figure. */
export interface Target {
  what: string;
  measured: number;
  atLeast?: number;
  atMost?: number;
  unit?: string;
}

/** The results of one part. */
export interface Section {
  title: string;
  /** The measurement, and the meaning of each column. */
  text: string;
  columns: string[];
  rows: string[][];
  targets: Target[];
  /** Explanations of the figures, such as a bound or a missed target. */
  notes?: string[];
}

/** Returns `value` with three significant digits, or with all digits before the point. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '—';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3).replace(/\.0+$/, '');
}

export function met({ measured, atLeast = -Infinity, atMost = Infinity }: Target): boolean {
  return measured >= atLeast && measured <= atMost;
}

/** Returns the report in Markdown. Its tables are aligned for a terminal too. */
export function report(sections: Section[], intro: string[]): string {
  const targets = sections.flatMap(({ targets }) => targets);
  const rows = targets.map((target) => {
    const unit = target.unit ?? '';
    const { atLeast, atMost } = target;
    const bound = [
      ...(atLeast === undefined ? [] : [`≥ ${atLeast}${unit}`]),
      ...(atMost === undefined ? [] : [`≤ ${atMost}${unit}`]),
    ].join(', ');
    return [
      target.what,
      bound,
      `${digits(target.measured)}${unit}`,
      met(target) ? 'met' : 'missed',
    ];
  });
  return [
    '# Benchmark',
    '',
    'Written by `npm run bench`.',
    '',
    ...intro.map((line) => `- ${line}`),
    '',
    '## Targets',
    '',
    ...table(['', 'target', 'measured', ''], rows),
    ...sections.flatMap((section) => [
      '',
      `## ${section.title}`,
      '',
      section.text,
      '',
      ...table(section.columns, section.rows),
      ...(section.notes ?? []).flatMap((note) => ['', note]),
    ]),
    '',
  ].join('\n');
}

function table(columns: string[], rows: string[][]): string[] {
  const widths = columns.map((column, i) =>
    Math.max(3, ...[column, ...rows.map((row) => row[i] ?? '')].map((cell) => cell.length)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

/** Returns lines about the machine and the versions. */
export function machine(): string[] {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const names = ['fastify', 'express', '@nestjs/core', 'passport-jwt', 'fast-jwt'];
  const versions = [...names, 'bcrypt', 'typeorm', 'sqlite3', 'autocannon'].map((name) => {
    const own = `bench/node_modules/${name}/package.json`;
    return `${name} ${versionOf(existsSync(own) ? own : `node_modules/${name}/package.json`)}`;
  });
  const changed = git('status', '--porcelain', '--', 'src') ? ' with changes' : '';
  return [
    `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${memory} GiB, ${type()} ${release()} ${arch()}`,
    `Latchkey ${versionOf('package.json')} (${git('rev-parse', '--short', 'HEAD') || 'no git'}${changed}), Node ${process.versions.node}`,
    versions.join(', '),
  ];
}

function versionOf(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return '';
  }
}
