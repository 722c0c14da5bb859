import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
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

  it('takes less than 100 MB for a million keys', async () => {
    const program = `
      const { LimitStore } = await import(process.argv[1]);
      const store = new LimitStore(Buffer.alloc(32, 7));
      const add = (key) => store.add(${JSON.stringify(limit)}, key);
      for (let i = 0; i < 2_000; i++) await add('warm ' + i);
      gc();
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 1_000_000; i++) await add('key ' + i);
      gc();
      console.log(process.memoryUsage().rss - before);
    `;
    const built = pathToFileURL('dist/src/throttling/limit-store.js').href;
    const options = ['--expose-gc', '--input-type=module', '--eval', program, built];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(100_000_000);
  }, 300_000);
});
