/**
 * `node scripts/published-secrets.js <list> …`: writes `src/config/published-secrets.ts` from lists of
 * secrets, one a line. The list of https://github.com/wallarm/jwt-secrets (`jwt.secrets.list`) is one. A
 * secret in the present file stays, so lists can be added later.
 *
 * Only digests are kept: the file must not be a list to guess with.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Shorter ones are refused for their length, or are found by their words. */
const SHORTEST = 16;
const PER_LINE = 16;

const file = fileURLToPath(new URL('../src/config/published-secrets.ts', import.meta.url));
const known = existsSync(file) ? readFileSync(file, 'utf8').match(/^[\w-]{8,}$/gm) : [];
const digests = new Set((known ?? []).join('').match(/.{8}/g));
for (const list of process.argv.slice(2)) {
  for (const line of readFileSync(list, 'utf8').split('\n')) {
    const secret = line.trim().toLowerCase();
    if (Buffer.byteLength(secret) < SHORTEST) continue;
    digests.add(createHash('sha256').update(secret).digest().subarray(0, 6).toString('base64url'));
  }
}
const sorted = [...digests].sort();
const lines = [];
for (let at = 0; at < sorted.length; at += PER_LINE) {
  lines.push(sorted.slice(at, at + PER_LINE).join(''));
}
writeFileSync(
  file,
  `/**
 * Digests of secrets that were published, made by \`scripts/published-secrets.js\`: of each, in lower case,
 * the first 6 bytes of SHA-256 in base64url. A random secret is taken for one of them once in 10^10 times.
 */
export const PUBLISHED_SECRETS = \`
${lines.join('\n')}
\`;
`,
);
console.log(`${sorted.length} digests in ${file}`);
