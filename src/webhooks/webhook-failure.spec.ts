import { webhookFailure, WebhookRefused } from './webhook-failure.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const after = (status: number, retryAfter: string | null = null) =>
  webhookFailure(new WebhookRefused(status, retryAfter), NOW);

it.each([
  [null, undefined],
  ['0', 0],
  ['120', 120_000],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['-5', undefined],
  ['soon', undefined],
  ['9'.repeat(400), undefined],
])('reads Retry-After: %s', (text, wait) => {
  expect(after(503, text).retryAfter).toBe(wait);
});

it('takes a 410 alone for the last word', () => {
  const statuses = [301, 400, 401, 404, 410, 429, 500, 503];
  expect(statuses.filter((status) => after(status).permanent)).toEqual([410]);
});

it('keeps nothing of an address', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
    code: 'ECONNREFUSED',
  });
  expect(webhookFailure(new TypeError('fetch failed', { cause }))).toEqual({
    permanent: false,
    ofServer: true,
    text: 'The receiver was not reached: ECONNREFUSED',
  });
});
