import { RefusalDelay } from './refusal-delay.js';

/** Tells whether `delay` resolves before any other event. */
const atOnce = (delay: Promise<void>): Promise<boolean> =>
  Promise.race([
    delay.then(() => true),
    new Promise<boolean>((resolve) => {
      setImmediate(resolve, false);
    }),
  ]);

/** Returns a delay for a client that was refused fifty times with a wait of `seconds`. */
async function refusedOften(address: string, seconds: number): Promise<RefusalDelay> {
  const refusalDelay = new RefusalDelay();
  const heard = Array.from({ length: 50 }, () => atOnce(refusalDelay.delay(address, seconds)));
  expect(new Set(await Promise.all(heard))).toEqual(new Set([true]));
  return refusalDelay;
}

describe('RefusalDelay', () => {
  it('slows down a network that comes back before it should, and nobody else', async () => {
    const refusalDelay = await refusedOften('2001:db8::1', 60);
    const held = refusalDelay.delay('2001:db8::2', 60);
    expect(await atOnce(held)).toBe(false);
    expect(await atOnce(refusalDelay.delay('2001:db8:0:1::1', 60))).toBe(true);
    expect(await atOnce(refusalDelay.delay('192.0.2.1', 60))).toBe(true);
    await held;
  });

  it('forgets it after the time that it was told to wait', async () => {
    const refusalDelay = await refusedOften('192.0.2.1', 0.1);
    // Longer than that wait.
    await refusalDelay.delay('192.0.2.1', 0.1);
    expect(await atOnce(refusalDelay.delay('192.0.2.1', 0.1))).toBe(true);
  });

  it('holds nobody who is gone, nor the server itself', async () => {
    const refusalDelay = await refusedOften('192.0.2.1', 60);
    const client = new AbortController();
    const held = refusalDelay.delay('192.0.2.1', 60, client.signal);
    expect(await atOnce(held)).toBe(false);
    client.abort();
    await held;
    expect(await atOnce(refusalDelay.delay('192.0.2.1', 60, client.signal))).toBe(true);
    for (let i = 0; i < 51; i++) expect(await atOnce(refusalDelay.delay(null, 60))).toBe(true);
  });
});
