/**
 * `npm run words`: counts, per 1,000 words of comments and prose, the words by which English becomes hard to
 * read: relative clauses as subjects ("who comes back", "what is away"), "where" for "if", and "nobody",
 * "nothing" and "none" as actors. Exits with 1 if a limit is passed. CONTRIBUTING.md has the rules behind it.
 *
 * `node scripts/plain-words.js [--worst N] [PATH…]`: `--worst` lists the N places with the most hits.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** The words of each kind, and how many of them 1,000 words may have. */
const KINDS = [
  { name: 'what', words: /\b(what|whatever)\b/gi, limit: 3 },
  { name: 'who', words: /\b(who|whoever|whom|whose)\b/gi, limit: 1.5 },
  { name: 'where', words: /\bwhere\b/gi, limit: 1.5 },
  { name: 'nobody/nothing/none', words: /\b(nobody|nothing|none)\b/gi, limit: 2 },
];
const PROSE = ['src', 'README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md', 'docs'];

const { values, positionals } = parseArgs({
  options: { worst: { type: 'string' } },
  allowPositionals: true,
});

/** The sources and documents at a path, or below it. */
function filesAt(path) {
  if (!statSync(path).isDirectory()) return /\.([jt]sx?|mjs|md)$/.test(path) ? [path] : [];
  return readdirSync(path)
    .filter((name) => !/^(node_modules|dist|\..*)$/.test(name))
    .flatMap((name) => filesAt(join(path, name)));
}

/** The lines of a Markdown file outside of code. */
function paragraphs(text) {
  let fenced = false;
  return text.split('\n').flatMap((row, index) => {
    if (row.trimStart().startsWith('```')) {
      fenced = !fenced;
      return [];
    }
    return fenced ? [] : [{ line: index + 1, text: row.replace(/`[^`]*`/g, ' ') }];
  });
}

/** The comments of a source file. Consecutive comments of one line count as one. */
function comments(text) {
  const found = text.matchAll(/\/\*\*?([\s\S]*?)\*\/|(?:(?<=^|\s)\/\/[^\n]*\n?[ \t]*)+/g);
  return [...found]
    .filter(([comment]) => !/@license|eslint-/.test(comment))
    .map(({ 0: comment, index }) => ({
      line: text.slice(0, index).split('\n').length,
      text: comment
        .replace(/^[ \t]*(\/\*\*?|\*\/|\*|\/\/)/gm, ' ')
        .replace(/`[^`]*`|\{@[^}]*\}/g, ' '),
    }));
}

const files = (positionals.length > 0 ? positionals : PROSE).flatMap(filesAt);
const totals = KINDS.map(() => 0);
const places = [];
let words = 0;
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  for (const block of file.endsWith('.md') ? paragraphs(text) : comments(text)) {
    words += block.text.match(/[A-Za-z][A-Za-z'’-]*/g)?.length ?? 0;
    const hits = KINDS.map((kind) => block.text.match(kind.words)?.length ?? 0);
    hits.forEach((count, kind) => (totals[kind] += count));
    const sum = hits.reduce((left, right) => left + right);
    if (sum > 0) places.push({ sum, file, ...block });
  }
}

const rates = totals.map((count) => (count * 1000) / Math.max(words, 1));
const passed = KINDS.filter(({ limit }, kind) => rates[kind] > limit);
console.log(`${words} words in ${files.length} files; per 1,000 words:`);
KINDS.forEach(({ name, limit }, kind) => {
  const mark = rates[kind] > limit ? '  TOO MANY' : '';
  console.log(`  ${name.padEnd(20)} ${rates[kind].toFixed(1).padStart(4)} of ${limit}${mark}`);
});
if (passed.length > 0 || values.worst !== undefined) {
  places.sort((left, right) => right.sum - left.sum);
  for (const { file, line, text } of places.slice(0, Number(values.worst ?? 10))) {
    console.log(`${file}:${line}  ${text.replace(/\s+/g, ' ').trim().slice(0, 160)}`);
  }
}
if (passed.length > 0) process.exitCode = 1;
