import { Logger } from '@nestjs/common';
import { QueueRunner } from './queue-runner.js';

const LONG = 3_600_000;

/** A runner over a queue whose jobs end when the test says so. */
function runnerOver(queue: string[], count: number) {
  const begun: string[] = [];
  const ends = new Map<string, (goOn: boolean) => void>();
  let asked = 0;
  const take = () => {
    asked++;
    return Promise.resolve(queue.shift());
  };
  const handle = (piece: string) => {
    begun.push(piece);
    return new Promise<boolean>((resolve) => ends.set(piece, resolve));
  };
  const runner = new QueueRunner('Testing', count, LONG, { take, handle }, new Logger());
  return {
    runner,
    begun,
    /** How often the queue was asked. */
    asked: () => asked,
    end: (piece: string, goOn = true) => ends.get(piece)?.(goOn),
  };
}

/** Lets every pending microtask and immediate run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('takes up to so many pieces at a time, and the next when one is done', async () => {
  const { runner, begun, end } = runnerOver(['a', 'b', 'c', 'd'], 2);
  runner.start();
  await settled();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c']);
});

it('starts what is stored while another piece hangs', async () => {
  const queue = ['hangs'];
  const { runner, begun } = runnerOver(queue, 2);
  runner.start();
  await settled();
  queue.push('late');
  runner.wake();
  await settled();
  expect(begun).toEqual(['hangs', 'late']);
});

it('goes no further after a failure until somebody wakes it', async () => {
  const { runner, begun, end } = runnerOver(['a', 'b', 'c', 'd'], 1);
  runner.start();
  await settled();
  end('a', false);
  await settled();
  expect(begun).toEqual(['a']);
  runner.wake();
  await settled();
  expect(begun).toEqual(['a', 'b']);
});

it('asks again where it was woken while it asked', async () => {
  const { runner, asked } = runnerOver([], 1);
  runner.start();
  runner.wake();
  await settled();
  expect(asked()).toBe(2);
});

it('does nothing before the start, and waits at the end for what is under way', async () => {
  const { runner, begun, end } = runnerOver(['a', 'b'], 1);
  runner.wake();
  await settled();
  expect(begun).toEqual([]);
  runner.start();
  await settled();
  let stopped = false;
  const stopping = runner.stop().then(() => (stopped = true));
  await settled();
  expect(stopped).toBe(false);
  end('a');
  await stopping;
  expect(begun).toEqual(['a']);
});

it('says once that taking fails, until it works again', async () => {
  const said: unknown[] = [];
  const logger = { error: (error: unknown) => said.push(error) };
  let broken = true;
  const take = () => (broken ? Promise.reject(new Error('away')) : Promise.resolve(undefined));
  const handle = () => Promise.resolve(true);
  const runner = new QueueRunner('Testing', 1, LONG, { take, handle }, logger as unknown as Logger);
  runner.start();
  await settled();
  runner.wake();
  await settled();
  expect(said).toHaveLength(1);
  broken = false;
  runner.wake();
  await settled();
  broken = true;
  runner.wake();
  await settled();
  expect(said).toHaveLength(2);
  await runner.stop();
});
