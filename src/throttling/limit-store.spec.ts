import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { LimitStore } from './limit-store.js';

const limit = { name: 'test', points: 2, seconds: 3600 };

describe('LimitStore', () => {
  it('counts each key and each limit for itself', async () => {
    const store = new LimitStore(randomBytes(32));
    const allowed = [];
    for (const key of ['a', 'a', 'a', 'b']) allowed.push((await store.add(limit, key)).allowed);
    allowed.push((await store.add({ ...limit, name: 'other' }, 'a')).allowed);
    expect(allowed).toEqual([true, true, false, true, true]);
  });

  it('keeps keys that are blocked, at their limit or near it in a flood of other keys', async () => {
    const store = new LimitStore(randomBytes(32));
    const daily = { name: 'daily', points: 100, seconds: 86_400 };
    const add = async (key: string, times: number) => {
      for (let i = 1; i < times; i++) await store.add(daily, key);
      return (await store.add(daily, key)).used;
    };
    await add('full', 100);
    await add('near', 99);
    await store.block(limit, 'blocked', 3600);
    for (let i = 0; i < 10_200; i++) {
      await add(`key ${i}`, 3);
      await store.add(limit, `key ${i}`);
    }
    expect([await add('full', 1), await add('near', 1)]).toEqual([101, 100]);
    expect(await store.blockedFor(limit, 'blocked')).toBeGreaterThan(0);
  });

  it('is not changed by a look, or by forgetting a key that it does not have', async () => {
    const store = new LimitStore(randomBytes(32));
    await store.add(limit, 'idle');
    await store.block({ ...limit, name: 'waits' }, 'blocked', 3600);
    for (let i = 0; i < 20_000; i++) {
      expect(await store.blockedFor({ ...limit, name: 'waits' }, `key ${i}`)).toBe(0);
      await store.blockedFor(limit, `key ${i}`);
      await store.forget(limit, `key ${i}`);
    }
    expect(await store.blockedFor({ ...limit, name: 'waits' }, 'blocked')).toBeGreaterThan(0);
    expect((await store.add(limit, 'idle')).used).toBe(2);
  });

  it('gives the places of full counters that are over to new ones', async () => {
    jest.useFakeTimers();
    try {
      const store = new LimitStore(randomBytes(32));
      const short = { name: 'short', points: 1, seconds: 60 };
      for (let i = 0; i < 10_000; i++) await store.add(short, `old ${i}`);
      jest.advanceTimersByTime(61_000);
      for (let i = 0; i < 10; i++) await store.add({ ...short, points: 5 }, `new ${i}`);
      for (let i = 0; i < 10; i++) {
        expect((await store.add({ ...short, points: 5 }, `new ${i}`)).used).toBe(2);
      }
    } finally {
      jest.useRealTimers();
    }
  });

  it('forgets the keys that were not used for longest rather than take more memory', async () => {
    const store = new LimitStore(randomBytes(32));
    const used = async (key: string) => (await store.add(limit, key)).used;
    expect(await used('idle')).toBe(1);
    for (let i = 0; i < 20_000; i++) {
      await used(`key ${i}`);
      if (i % 5_000 === 0) await used('busy');
    }
    expect(await used('busy')).toBe(5);
    expect(await used('idle')).toBe(1);
  });

  it('forgets no count for another limit, nor for what was given back', async () => {
    const store = new LimitStore(randomBytes(32));
    await store.add(limit, 'idle');
    for (let i = 0; i < 20_000; i++) {
      await store.add({ ...limit, name: 'other' }, `key ${i}`);
      await (await store.add(limit, `key ${i}`)).giveBack();
    }
    expect((await store.add(limit, 'idle')).used).toBe(2);
  });

  it('takes less than 10 MB, however many keys there are', async () => {
    const program = `
      const { LimitStore } = await import(process.argv[1]);
      const store = new LimitStore(Buffer.alloc(32, 7));
      const add = (key) => store.add(${JSON.stringify(limit)}, key);
      for (let i = 0; i < 2_000; i++) await add('warm ' + i);
      gc();
      // Returns the memory that the store holds, in bytes. The resident memory is no measure: it depends on
      // when Node gives pages back.
      const held = () => { const { heapUsed, external } = process.memoryUsage(); return heapUsed + external; };
      const before = held();
      for (let i = 0; i < 100_000; i++) await add('key ' + i);
      gc();
      console.log(held() - before);
    `;
    const built = new URL('./limit-store.js', import.meta.url).href;
    const options = ['--expose-gc', '--input-type=module', '--eval', program, built];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(10_000_000);
  });
});
