import { Logger } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Metrics } from '../common/metrics.js';
import { HashQueue } from './hash-queue.js';

beforeAll(() => {
  Logger.overrideLogger(false);
});

const queueOf = (threads: number, maxWait: number, pause = 0) =>
  new HashQueue(threads, maxWait, new Metrics(), () => pause);

const refusal = async (entering: Promise<void>) => {
  const error = await entering.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof ApiError ? [error.code, error.headers] : error;
};

describe('HashQueue', () => {
  it('lets in as many as there are threads, and the others in the order they came', async () => {
    const queue = queueOf(2, 60);
    const started: string[] = [];
    const enter = (name: string) => queue.enter().then(() => started.push(name));
    await Promise.all([enter('a'), enter('b')]);
    const others = [enter('c'), enter('d'), enter('e')];
    expect(started).toEqual(['a', 'b']);
    queue.leave();
    await others[0];
    expect(started).toEqual(['a', 'b', 'c']);
    queue.leave();
    queue.leave();
    await Promise.all(others);
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('refuses whoever would wait too long, by the time that hashes take', async () => {
    const queue = queueOf(2, 5);
    await queue.enter();
    queue.leave(1);
    await Promise.all([queue.enter(), queue.enter()]);
    const waiting = Array.from({ length: 10 }, () => queue.enter());
    expect(await refusal(queue.enter())).toEqual(['overloaded', { 'Retry-After': '6' }]);
    queue.leave(1);
    await waiting[0];
    waiting.push(queue.enter());
    expect(await refusal(queue.enter())).toEqual(['overloaded', { 'Retry-After': '6' }]);
    for (const turn of waiting) {
      queue.leave(1);
      await turn;
    }
  });

  it('lets the next one in after a pause that other requests need, and counts it as time', async () => {
    const queue = queueOf(1, 60, 20);
    await queue.enter();
    let isIn = false;
    const next = queue.enter().then(() => (isIn = true));
    queue.leave(59.99);
    await Promise.resolve();
    expect(isIn).toBe(false);
    await next;
    expect(await refusal(queue.enter())).toEqual(['overloaded', { 'Retry-After': '61' }]);
    // No one waits: whoever comes need not wait for the end of a pause.
    queue.leave(1);
    await queue.enter();
  });

  it('lets in whoever comes to a free thread, however long hashes take', async () => {
    const queue = queueOf(1, 1);
    await queue.enter();
    queue.leave(100);
    await queue.enter();
    expect(await refusal(queue.enter())).toEqual(['overloaded', { 'Retry-After': '100' }]);
    queue.leave(100);
    await expect(queue.enter()).resolves.toBeUndefined();
  });

  it('forgets whoever left, and starts nobody in their place', async () => {
    const queue = queueOf(1, 60);
    await queue.enter();
    const client = new AbortController();
    const left = queue.enter(client.signal);
    const stayed = queue.enter();
    client.abort();
    expect(await refusal(left)).toEqual(['client_gone', {}]);
    expect(await refusal(queue.enter(client.signal))).toEqual(['client_gone', {}]);
    queue.leave();
    await stayed;
    queue.leave();
    // The one thread is free again, and was taken only once.
    await queue.enter();
    const next = queue.enter();
    queue.leave();
    await next;
  });

  it('refuses those who wait when it closes, and whoever comes later', async () => {
    const queue = queueOf(1, 60);
    await queue.enter();
    const waiting = [queue.enter(), queue.enter()];
    queue.close();
    const refusals = await Promise.all([...waiting, queue.enter()].map(refusal));
    expect(refusals).toEqual(Array(3).fill(['unavailable', { 'Retry-After': '5' }]));
  });
});
