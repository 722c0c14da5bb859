import { execFileSync } from 'node:child_process';

/**
 * Builds what the start tests run, and says before the tests what this machine leaves out, so that
 * nothing is skipped in silence.
 */
export default function announce() {
  if (process.env.E2E_TARGET !== 'dist') {
    execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  }
  if (!process.env.TEST_DATABASE_URL) {
    console.log('\nLeft out: the end-to-end tests on PostgreSQL (TEST_DATABASE_URL is not set)');
  }
  if (!process.env.TEST_REDIS_URL) {
    console.log('\nLeft out: the rate limits on Redis (TEST_REDIS_URL is not set)');
  }
  if (!process.env.CORPORA_DIR) {
    console.log('\nLeft out: the public test vectors (CORPORA_DIR is not set)');
  }
}
