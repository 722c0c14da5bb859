import { availableParallelism } from 'node:os';
import { expectSupportedNode } from './src/node-version.js';

expectSupportedNode();

/**
 * Unit tests stand beside the code (`*.spec.ts`), end-to-end tests in `test/` (`*.e2e-spec.ts`).
 * The end-to-end tests run on SQLite always, and on PostgreSQL where TEST_DATABASE_URL names a
 * server that databases may be made in. All are compiled into `dist` first, without a look at their types.
 * With E2E_TARGET=dist, what the compiler built there is tested.
 */
const common = {
  testEnvironment: 'node',
  runtime: '<rootDir>/test/support/native-runtime.cjs',
  // Otherwise Jest loads Babel in every process.
  transform: {},
  modulePathIgnorePatterns: ['<rootDir>/data/', '<rootDir>/dist/'],
};

/**
 * Tests that take long: programs are started over and over, or many thousand rows are moved. They run
 * where TEST_LONG is set (`npm run test:long`), and in CI on PostgreSQL.
 */
const LONG =
  'test/(account-browser|audit-(chain|tampering)|authenticator-tools|bootstrap-admin|cli(-users)?|clients|clocks|copy|crash-sign-ins|doctor|hostile-bodies|identifier-operations|import|imported-users|mail-delivery|run-it|newcomer|nginx|page-(quality|sites)|passkey-pages|rotation|second-factor-limits|start|token-settings|webhooks-(delivery|processes))\\.e2e-spec';

/** Unit tests that take long: they compile and start servers, or count 100,000 keys. */
const LONG_UNITS = 'test/(removable|joined-modules)\\.spec|src/throttling/limit-store\\.spec';

/** Tests of what one of the databases has: the settings of a session, poolers, a network; a file. */
const POSTGRES_ONLY = 'test/database-(away|sessions)\\.e2e-spec';
const SQLITE_ONLY = 'test/database-file\\.e2e-spec';

const ignored = ['/node_modules/', ...(process.env.TEST_LONG ? [] : [LONG])];
const e2e = {
  ...common,
  testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'],
  testPathIgnorePatterns: ignored,
};

const projects = [
  {
    ...common,
    displayName: 'unit',
    testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
    testPathIgnorePatterns: ['/node_modules/', ...(process.env.TEST_LONG ? [] : [LONG_UNITS])],
  },
  {
    ...e2e,
    displayName: 'sqlite',
    globals: { E2E_DATABASE: 'sqlite' },
    testPathIgnorePatterns: [...ignored, POSTGRES_ONLY],
  },
];
if (process.env.TEST_DATABASE_URL) {
  projects.push({
    ...e2e,
    displayName: 'postgres',
    globals: { E2E_DATABASE: 'postgres' },
    testPathIgnorePatterns: [...ignored, SQLITE_ONLY],
  });
}

export default {
  projects,
  // One more than there are cores: much of a test is waiting.
  maxWorkers: availableParallelism() + 1,
  testSequencer: '<rootDir>/test/support/longest-first.js',
  testTimeout: 60_000,
  workerIdleMemoryLimit: '1GB',
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
};
