import { RevocationList, type Revoked } from './revocation-list.js';

const NOW = 1_000_000;
const revocation = (values: Partial<Revoked>): Revoked => ({
  id: 'r',
  sessionId: null,
  userId: 'u',
  belowVersion: null,
  stale: false,
  revokedAt: new Date(NOW),
  ...values,
});
const token = (values = {}) => ({ userId: 'u', sid: 's', ver: 1, ...values });

it('refuses a session that ended, and no other', () => {
  const list = new RevocationList(100);
  list.add(revocation({ sessionId: 's' }));
  expect(list.verdict(token())).toBe('token_revoked');
  expect(list.verdict(token({ sid: 't' }))).toBeUndefined();
});

it('refuses versions below; being revoked weighs more than being stale', () => {
  const list = new RevocationList(100);
  list.add(revocation({ belowVersion: 3, stale: true }));
  list.add(revocation({ belowVersion: 2 }));
  list.add(revocation({ belowVersion: 1 }));
  expect([1, 2, 3].map((ver) => list.verdict(token({ ver })))).toEqual([
    'token_revoked',
    'token_stale',
    undefined,
  ]);
  expect(list.verdict(token({ userId: 'v' }))).toBeUndefined();
});

it('forgets when the last token has expired, and holds no more than that', () => {
  const list = new RevocationList(100);
  for (let i = 0; i < 1000; i++) {
    const revokedAt = new Date(NOW + i);
    list.add(revocation({ sessionId: `s${i}`, revokedAt }), i);
    list.add(revocation({ userId: `u${i}`, belowVersion: 1, revokedAt }), i);
    list.prune(NOW + i, i);
  }
  expect(list.size).toBe(200);
  list.prune(NOW + 2000, 2000);
  expect(list.size).toBe(0);
});

it.each([
  ['was set ahead and back again', NOW + 10_000, 50],
  ['was set back', NOW - 10_000, 10_000],
])('remembers a revocation if the time of day %s', (_what, time, steady) => {
  const list = new RevocationList(100);
  list.add(revocation({ sessionId: 's' }), 0);
  list.prune(time, steady);
  expect(list.verdict(token())).toBe('token_revoked');
});
