import { ApiError } from '../common/api-error.js';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { Keyring } from '../keys/keyring.js';
import { GuessLimits } from './guess-limits.js';
import { RateLimits } from './rate-limits.js';

const { jest } = import.meta;
const HOUR = 3600;
const JWT_SECRET_KEY = '0123456789abcdefghijklmnopqrstuvwxyz';

let guesses: GuessLimits;
beforeEach(() => {
  jest.useFakeTimers();
  const config = Config.load({ JWT_SECRET_KEY, RATE_LIMITS: 'failedAddress=1000/1m' });
  guesses = new GuessLimits(new RateLimits(config, new Keyring(config), new Metrics()));
});
afterEach(() => {
  jest.useRealTimers();
});

const begin = (network = '192.0.2.1') =>
  guesses.begin({
    network,
    account: () => Promise.resolve('ada'),
    isKnown: () => Promise.resolve(false),
  });
const guess = async (outcome: 'right' | 'wrong' | 'unknown') => (await begin()).settle(outcome);
/** Returns how long `begin` asks to wait, in seconds; 0 if it lets the guess through. */
async function wait(): Promise<number> {
  try {
    await (await begin()).settle('unknown');
    return 0;
  } catch (error) {
    return error instanceof ApiError ? Number(error.headers['Retry-After']) : NaN;
  }
}
/** Makes five wrong guesses. Returns the seconds to wait after them. */
async function strike(): Promise<number> {
  for (let i = 0; i < 5; i++) await guess('wrong');
  return wait();
}

describe('GuessLimits', () => {
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

  it('also for who stops before the limit refuses anything', async () => {
    for (let i = 0; i < 5; i++) await guess('wrong');
    jest.advanceTimersByTime(900_000);
    expect(await strike()).toBe(1800);
  });

  it('does not make it longer for knocking', async () => {
    expect(await strike()).toBe(900);
    for (let i = 0; i < 50; i++) await wait();
    jest.advanceTimersByTime(900_000);
    expect(await wait()).toBe(0);
  });

  it('forgets it all with the right password', async () => {
    expect(await strike()).toBe(900);
    jest.advanceTimersByTime(900_000);
    await guess('right');
    expect(await strike()).toBe(900);
  });

  it('lets who comes late wait for guesses that are being judged, then decides', async () => {
    const first = [];
    for (let i = 0; i < 5; i++) first.push(await begin());
    const late = [begin(), begin()];
    const refusals = Promise.allSettled(late);
    await first[0]?.settle('unknown');
    const admitted = await Promise.race(late);
    for (const attempt of first.slice(1)) await attempt.settle('wrong');
    await admitted.settle('unknown');
    const states = (await refusals).map(({ status }) => status).sort();
    expect(states).toEqual(['fulfilled', 'rejected']);
    expect(await wait()).toBe(900);
  });

  it('gives nothing back into a time that has begun since', async () => {
    const slow = await begin();
    jest.advanceTimersByTime(900_000);
    await slow.settle('unknown');
    expect(await strike()).toBe(900);
  });

  it('gives back what it took where it cannot ask who is known', async () => {
    const other = { network: '192.0.2.9', account: () => Promise.resolve('ada') };
    for (let i = 0; i < 100; i++) await (await begin(`192.0.3.${i}`)).settle('wrong');
    const isKnown = () => Promise.reject(new Error('no database'));
    for (let i = 0; i < 9; i++) {
      await expect(guesses.begin({ ...other, isKnown })).rejects.toThrow('no database');
    }
    const known = { ...other, isKnown: () => Promise.resolve(true) };
    await expect(guesses.begin(known)).resolves.toBeDefined();
  });
});
