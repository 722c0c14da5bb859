import { randomBytes } from 'node:crypto';
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
    for (let i = 0; i < 60_000; i++) {
      await used(`key ${i}`);
      if (i % 10_000 === 0) await used('busy');
    }
    expect(await used('busy')).toBe(7);
    expect(await used('idle')).toBe(1);
  });
});
