import { Logger } from '@nestjs/common';
import { Lanes } from './lanes.js';

const LONG = 3_600_000;

/** Lanes over a queue whose pieces are done when the test says so. */
function lanesOver(queue: string[], count: number) {
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
  const lanes = new Lanes('Testing', count, LONG, { take, handle }, new Logger());
  return {
    lanes,
    begun,
    /** How often it was looked into. */
    asked: () => asked,
    end: (piece: string, goOn = true) => ends.get(piece)?.(goOn),
  };
}

/** Lets everything that waits for nothing else happen. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('takes up to so many pieces at a time, and the next when one is done', async () => {
  const { lanes, begun, end } = lanesOver(['a', 'b', 'c', 'd'], 2);
  lanes.start();
  await settled();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c']);
});

it('starts what is stored while another piece hangs', async () => {
  const queue = ['hangs'];
  const { lanes, begun } = lanesOver(queue, 2);
  lanes.start();
  await settled();
  queue.push('late');
  lanes.wake();
  await settled();
  expect(begun).toEqual(['hangs', 'late']);
});

it('goes no further after a failure until somebody wakes it', async () => {
  const { lanes, begun, end } = lanesOver(['a', 'b', 'c', 'd'], 1);
  lanes.start();
  await settled();
  end('a', false);
  await settled();
  expect(begun).toEqual(['a']);
  lanes.wake();
  await settled();
  expect(begun).toEqual(['a', 'b']);
});

it('asks again where it was woken while it asked', async () => {
  const { lanes, asked } = lanesOver([], 1);
  lanes.start();
  lanes.wake();
  await settled();
  expect(asked()).toBe(2);
});

it('does nothing before the start, and waits at the end for what is under way', async () => {
  const { lanes, begun, end } = lanesOver(['a', 'b'], 1);
  lanes.wake();
  await settled();
  expect(begun).toEqual([]);
  lanes.start();
  await settled();
  let stopped = false;
  const stopping = lanes.stop().then(() => (stopped = true));
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
  const lanes = new Lanes('Testing', 1, LONG, { take, handle }, logger as unknown as Logger);
  lanes.start();
  await settled();
  lanes.wake();
  await settled();
  expect(said).toHaveLength(1);
  broken = false;
  lanes.wake();
  await settled();
  broken = true;
  lanes.wake();
  await settled();
  expect(said).toHaveLength(2);
  await lanes.stop();
});
