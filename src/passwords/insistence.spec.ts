import { Insistence } from './insistence.js';

/** Whether `delay` is over before anything else gets its turn. */
const atOnce = (delay: Promise<void>): Promise<boolean> =>
  Promise.race([
    delay.then(() => true),
    new Promise<boolean>((resolve) => {
      setImmediate(resolve, false);
    }),
  ]);

/** Who has heard fifty times that they should wait for `seconds`. */
async function insistent(address: string, seconds: number): Promise<Insistence> {
  const insistence = new Insistence();
  const heard = Array.from({ length: 50 }, () => atOnce(insistence.delay(address, seconds)));
  expect(new Set(await Promise.all(heard))).toEqual(new Set([true]));
  return insistence;
}

describe('Insistence', () => {
  it('slows down a network that comes back before it should, and nobody else', async () => {
    const insistence = await insistent('2001:db8::1', 60);
    const held = insistence.delay('2001:db8::2', 60);
    expect(await atOnce(held)).toBe(false);
    expect(await atOnce(insistence.delay('2001:db8:0:1::1', 60))).toBe(true);
    expect(await atOnce(insistence.delay('192.0.2.1', 60))).toBe(true);
    await held;
  });

  it('forgets it after the time that it was told to wait', async () => {
    const insistence = await insistent('192.0.2.1', 0.1);
    // Longer than that.
    await insistence.delay('192.0.2.1', 0.1);
    expect(await atOnce(insistence.delay('192.0.2.1', 0.1))).toBe(true);
  });

  it('holds nobody who is gone, nor the server itself', async () => {
    const insistence = await insistent('192.0.2.1', 60);
    const client = new AbortController();
    const held = insistence.delay('192.0.2.1', 60, client.signal);
    expect(await atOnce(held)).toBe(false);
    client.abort();
    await held;
    expect(await atOnce(insistence.delay('192.0.2.1', 60, client.signal))).toBe(true);
    for (let i = 0; i < 51; i++) expect(await atOnce(insistence.delay(null, 60))).toBe(true);
  });
});
