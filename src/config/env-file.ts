import { readTextFile } from '../common/text-file.js';
import type { SettingIssue } from './jwt-keys.js';
import { SETTINGS } from './settings.js';

/** The values of a `.env` file, and the lines that cannot be read. */
export interface EnvFile {
  values: Record<string, string>;
  issues: SettingIssue[];
}

/** Reads `.env`, if there is one. */
export function readEnvFile(path = '.env'): EnvFile {
  try {
    return parseEnvFile(readTextFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { values: {}, issues: [] };
    // Docker makes a folder of a file that is mounted and not there.
    const expected = `it cannot be read: ${(error as Error).message}`;
    return { values: {}, issues: [{ name: path, expected }] };
  }
}

/**
 * Reads lines `NAME=value` as Node's `parseEnv` and dotenv do, but skips no line. A line that is neither a
 * setting nor a comment is an issue, with its number and without its text. A value may stand in quotes,
 * over several lines; `\n` is a line break within double quotes.
 */
export function parseEnvFile(text: string): EnvFile {
  const values: Record<string, string> = {};
  const issues: SettingIssue[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at++) {
    const number = at + 1;
    const refuse = (expected: string) => issues.push({ name: `.env, line ${number}`, expected });
    // npm prints two such lines before the output of a script, which `>> .env` adds.
    const line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#') || line.startsWith('> ')) continue;
    const [, name, rest = ''] = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      refuse('expected NAME=value, or # before a comment');
      continue;
    }
    const meant = name.toUpperCase();
    if (meant !== name && Object.hasOwn(SETTINGS, meant)) {
      refuse(`${name} is no setting: did you mean ${meant}?`);
      continue;
    }
    const quote = /^["'`]/.exec(rest)?.[0];
    if (quote === undefined) {
      // dotenv and Node cut at any #, a shell only at one after white space.
      const value = rest.replace(/(^|\s)#.*$/, '').trim();
      if (value.includes('#'))
        refuse(`expected quotes around the value of ${name}, which has a # in it`);
      else values[name] = value;
      continue;
    }
    let quoted = rest.slice(1);
    while (!quoted.includes(quote) && at + 1 < lines.length) quoted += `\n${lines[++at] ?? ''}`;
    const end = quoted.indexOf(quote);
    if (end === -1 || !/^\s*(#.*)?$/.test(quoted.slice(end + 1))) {
      refuse(`expected the value of ${name} to end with its quote`);
      at = number - 1;
      continue;
    }
    const value = quoted.slice(0, end);
    values[name] = quote === '"' ? value.replaceAll('\\n', '\n') : value;
  }
  return { values, issues };
}
