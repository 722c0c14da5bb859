import type { Logger } from '@nestjs/common';
import { FailureLog } from './failure-log.js';

let said: [level: string, what: unknown][];
let failures: FailureLog;

beforeEach(() => {
  said = [];
  const logger = {
    warn: (what: unknown) => said.push(['warn', what]),
    error: (what: unknown) => said.push(['error', what]),
  };
  failures = new FailureLog('Testing', logger as unknown as Logger);
});

it('warns of what is away, with the reason alone', () => {
  const starting = Object.assign(new Error('the database system is starting up'), {
    code: '57P03',
  });
  failures.failed(starting);
  expect(said).toEqual([['warn', 'Testing failed: 57P03']]);
});

it('calls anything else an error, with its cause', () => {
  const cause = new TypeError('of nothing');
  failures.failed(cause);
  expect(said).toEqual([['error', new Error('Testing failed', { cause })]]);
});

it('says it once, until it works again', () => {
  failures.failed(new Error('first'));
  failures.failed(new Error('second'));
  expect(said).toHaveLength(1);
  failures.succeeded();
  failures.failed(new Error('third'));
  expect(said).toHaveLength(2);
});
