import { scryptVerify } from './hash-worker.js';

it('answers false and logs why if a stored hash cannot be verified', async () => {
  const salt = Buffer.from('somesalt');
  const key = Buffer.alloc(32);
  const hash = { cost: 2 ** 18, blockSize: 1, parallelism: 1, salt, key };
  const { value, problem } = await scryptVerify({ password: 'x', ...hash });
  expect([value, problem]).toEqual([false, expect.stringContaining('scrypt')]);
});
