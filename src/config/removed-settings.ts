const LIMIT = 'write it in RATE_LIMITS as';

/** Earlier settings, each with the sentence that the start says if the environment still has it. */
export const REMOVED_SETTINGS: Readonly<Record<string, string>> = {
  TEST_BCRYPT_COST: 'use BCRYPT_COST, which can be lower outside production',
  JWT_NBF_TOLERANCE: 'the tolerance is 30 s',
  SESSION_CLEANUP_INTERVAL: 'Latchkey removes old sessions once a day',
  DATABASE_WAIT_TIMEOUT: 'DATABASE_TIMEOUT covers it',
  WEBHOOK_TIMEOUT: 'a receiver has 15 s to answer',
  WEBHOOK_TLS: 'http:// is allowed to private addresses and names',
  REFRESH_REUSE_WINDOW: 'the window is 30 s',
  HASH_MAX_WAIT: 'a request waits 5 s at most',
  OTEL_SERVICE_NAME: 'the name is latchkey',
  SMTP_TLS: 'write ?tls=off at the end of SMTP_URL',
  AUTH_COOKIE_SAMESITE: 'use AUTH_COOKIES, which can be lax or cross-site',
  LIMIT_LOGIN: `${LIMIT} login=…`,
  LIMIT_REGISTER: `${LIMIT} register=…`,
  LIMIT_REFRESH: `${LIMIT} refresh=…`,
  LIMIT_FORGOT: `${LIMIT} forgot=…`,
  LIMIT_MAIL: `${LIMIT} mail=…`,
  LIMIT_FAILED_ADDRESS: `${LIMIT} failedAddress=…`,
  LIMIT_FAILED_PAIR: `${LIMIT} failedPair=…`,
  LIMIT_FAILED_PAIR_MAX: 'the wait grows to 1 h at most',
  LIMIT_FAILED_USERNAME: `${LIMIT} failedUsername=…`,
  LIMIT_FAILED_SLOW: `${LIMIT} failedSlow=…`,
};
