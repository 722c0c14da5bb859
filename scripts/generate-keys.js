/** `npm run keys:generate -- ES256`: prints a fresh secret or key pair for `.env`, and nothing else. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expectSupportedNode } from '../src/node-version.js';

expectSupportedNode();

const built = new URL('../dist/src/keys/generate.js', import.meta.url);
if (!existsSync(built)) {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 2, 2] });
}
const { generateKeys } = await import(built);
try {
  process.stdout.write(generateKeys(process.argv[2]));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
