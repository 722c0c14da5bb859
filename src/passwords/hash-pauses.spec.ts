import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { hashPauses } from './hash-pauses.js';

it('pauses after a hash only while the event loop is busy', async () => {
  const pauseAfter = hashPauses();
  await setTimeout(200);
  expect(pauseAfter(1_000)).toBe(0);
  const end = performance.now() + 50;
  while (performance.now() < end);
  const pause = pauseAfter(1_000);
  expect(pause).toBeGreaterThan(0);
  expect(pause).toBeLessThanOrEqual(120);
  // At once again: not NaN.
  expect(pauseAfter(1_000)).toBeGreaterThanOrEqual(0);
});
