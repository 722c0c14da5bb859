import { ApiError } from '../common/api-error.js';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { Keyring } from '../keys/keyring.js';
import { FailedAttemptLimits } from './failed-attempt-limits.js';
import { RateLimits } from './rate-limits.js';

const HOUR = 3600;
const JWT_SECRET_KEY = '0123456789abcdefghijklmnopqrstuvwxyz';

let limits: FailedAttemptLimits;
beforeEach(() => {
  jest.useFakeTimers();
  const config = Config.load({ JWT_SECRET_KEY, RATE_LIMITS: 'failedAddress=1000/1m' });
  limits = new FailedAttemptLimits(new RateLimits(config, new Keyring(config), new Metrics()));
});
afterEach(() => {
  jest.useRealTimers();
});

const begin = (network = '192.0.2.1') =>
  limits.begin({
    network,
    account: () => Promise.resolve('ada'),
    isKnown: () => Promise.resolve(false),
  });
const attempt = async (outcome: 'succeeded' | 'failed' | 'unknown') =>
  (await begin()).finish(outcome);
/** Returns how long `begin` asks to wait, in seconds; 0 if it lets the attempt through. */
async function wait(): Promise<number> {
  try {
    await (await begin()).finish('unknown');
    return 0;
  } catch (error) {
    return error instanceof ApiError ? Number(error.headers['Retry-After']) : NaN;
  }
}
/** Makes five failed attempts. Returns the seconds to wait after them. */
async function strike(): Promise<number> {
  for (let i = 0; i < 5; i++) await attempt('failed');
  return wait();
}

describe('FailedAttemptLimits', () => {
  it('makes the wait longer each time within a day, up to an hour', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const seconds = await strike();
      waits.push(seconds);
      jest.advanceTimersByTime((seconds - 1) * 1000);
      expect(await wait()).toBe(1);
      jest.advanceTimersByTime(1000);
      expect(await wait()).toBe(0);
    }
    expect(waits).toEqual([900, 1800, HOUR, HOUR]);
    jest.advanceTimersByTime(24 * HOUR * 1000);
    expect(await strike()).toBe(900);
  });

  it('makes it longer also for a client that stops before the limit refuses it', async () => {
    for (let i = 0; i < 5; i++) await attempt('failed');
    jest.advanceTimersByTime(900_000);
    expect(await strike()).toBe(1800);
  });

  it('does not make it longer for attempts during the wait', async () => {
    expect(await strike()).toBe(900);
    for (let i = 0; i < 50; i++) await wait();
    jest.advanceTimersByTime(900_000);
    expect(await wait()).toBe(0);
  });

  it('forgets it all with the right password', async () => {
    expect(await strike()).toBe(900);
    jest.advanceTimersByTime(900_000);
    await attempt('succeeded');
    expect(await strike()).toBe(900);
  });

  it('lets a late attempt wait for those that are being judged, and then decides', async () => {
    const first = [];
    for (let i = 0; i < 5; i++) first.push(await begin());
    const late = [begin(), begin()];
    const refusals = Promise.allSettled(late);
    await first[0]?.finish('unknown');
    const admitted = await Promise.race(late);
    for (const attempt of first.slice(1)) await attempt.finish('failed');
    await admitted.finish('unknown');
    const states = (await refusals).map(({ status }) => status).sort();
    expect(states).toEqual(['fulfilled', 'rejected']);
    expect(await wait()).toBe(900);
  });

  it('takes no attempt back from a counter that has restarted', async () => {
    const slow = await begin();
    jest.advanceTimersByTime(900_000);
    await slow.finish('unknown');
    expect(await strike()).toBe(900);
  });

  it('takes an attempt back if it cannot find out whether the network is known', async () => {
    const other = { network: '192.0.2.9', account: () => Promise.resolve('ada') };
    for (let i = 0; i < 100; i++) await (await begin(`192.0.3.${i}`)).finish('failed');
    const isKnown = () => Promise.reject(new Error('no database'));
    for (let i = 0; i < 9; i++) {
      await expect(limits.begin({ ...other, isKnown })).rejects.toThrow('no database');
    }
    const known = { ...other, isKnown: () => Promise.resolve(true) };
    await expect(limits.begin(known)).resolves.toBeDefined();
  });
});
