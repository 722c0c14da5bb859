/**
 * The rate limits of the core, by the name in `RateLimit-Policy`, with the default rate and the counted
 * thing.
 */
export const LIMITS = {
  login: { rate: '30/1m', summary: 'logins of one address' },
  register: { rate: '60/1h', summary: 'registrations of one address' },
  refresh: { rate: '60/1m', summary: 'refreshes of one session' },
  forgot: {
    rate: '10/1h',
    summary: 'requests of one address for mail to an account that is not signed in',
  },
  mail: {
    rate: '3/1h',
    summary:
      'requested mails to one mailbox; the same rate holds for registrations, and for notices to an ' +
      'unverified address',
  },
  failedAddress: { rate: '10/1m', summary: 'failed logins of one address' },
  failedPair: {
    rate: '5/15m',
    summary:
      'failed logins of one address for one username; the wait grows to an hour if they go on',
  },
  failedUsername: {
    rate: '100/1d',
    summary: 'failed logins for one username from all addresses',
  },
  failedSlow: {
    rate: '1/1m',
    summary: 'logins for that username afterwards, except from addresses that signed it in before',
  },
} as const;

/** The name of a limit in the settings. */
export type LimitName = keyof typeof LIMITS;
