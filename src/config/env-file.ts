import { readTextFile } from '../common/text-file.js';
import { type SettingIssue, settingOf } from './setting.js';

/** The values of a `.env` file, and its wrong lines. */
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
    // Docker mounts a missing file as a folder.
    const expected = `it cannot be read: ${(error as Error).message}`;
    return { values: {}, issues: [{ name: path, expected }] };
  }
}

/**
 * Reads lines `NAME=value` like Node's `parseEnv` and dotenv, but skips no line. A line that is neither a
 * setting nor a comment is an issue, with its number and without its text. A value can be quoted and then
 * have several lines. Within double quotes `\n` is a line break.
 */
export function parseEnvFile(text: string): EnvFile {
  const values: Record<string, string> = {};
  const issues: SettingIssue[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at++) {
    const number = at + 1;
    const refuse = (expected: string) => issues.push({ name: `.env, line ${number}`, expected });
    // npm prints two lines that begin with > before the output of a script, and `>> .env` appends them.
    const line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#') || line.startsWith('> ')) continue;
    const [, name, rest = ''] = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      refuse('expected NAME=value, or # before a comment');
      continue;
    }
    const meant = name.toUpperCase();
    if (meant !== name && settingOf(meant)) {
      refuse(`${name} is not a setting: did you mean ${meant}?`);
      continue;
    }
    const quote = /^["'`]/.exec(rest)?.[0];
    if (quote === undefined) {
      // dotenv and Node end the value at any #, and a shell only at a # after white space.
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
