import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { readEnvFile } from './env-file.js';
import { generatedSecret } from './generated-secret.js';
import { knownSecrets } from './known-secrets.js';
import { type JwtKeys, readJwtKeys, type SettingIssue, usesSecret } from './jwt-keys.js';
import { givenSettings } from './given-settings.js';
import { oddSettings } from './odd-settings.js';
import { isLoopback, type Rate } from './setting-types.js';
import { SETTINGS, type Settings, settingsSchema } from './settings.js';
import { type MailConfig, mailConfig } from './settings.mail.js';
import { cookieIssues } from './settings.sessions.js';
import { JWT_ALGORITHMS } from './settings.tokens.js';
import { type WebhookConfig, webhookConfig, webhookIssues } from './settings.webhooks.js';

/** The settings do not allow a start; the message lists every one that is wrong, without its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly issues: readonly SettingIssue[]) {
    const lines = issues.map(({ name, expected }) => `  ${name}: ${expected}`);
    super(['Latchkey cannot start with these settings:', ...lines].join('\n'));
  }
}

/** A limit that the settings set. */
export type LimitName =
  | 'login'
  | 'register'
  | 'refresh'
  | 'forgot'
  | 'mail'
  | 'failedAddress'
  | 'failedPair'
  | 'failedUsername'
  | 'failedSlow';

/** The typed settings, read once at the start; the only place where the environment is looked at. */
export class Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** Who is made the first administrator, if anybody. */
  readonly bootstrapAdmin: string | undefined;
  /** Times in seconds. */
  readonly database: { poolSize: number; timeout: number; waitTimeout: number };
  /** Seconds between turning not ready and stopping. */
  readonly shutdownDelay: number;
  /** Seconds. */
  readonly auditRetention: number;
  readonly metricsToken: string | undefined;
  /** Where traces go, if anywhere. */
  readonly telemetry:
    { endpoint: string; headers: Record<string, string>; serviceName: string } | undefined;
  /** Whether the API is described at `/docs` and `/openapi.json`. */
  readonly docs: boolean;
  readonly logLevel: Settings['LOG_LEVEL'];
  readonly corsOrigins: readonly string[];
  readonly trustProxy: Settings['TRUST_PROXY'];
  /** Where the JWT secret was made for this project rather than given, the path of its file. */
  readonly generatedSecretPath: string | undefined;
  readonly generatedSecretCreated: boolean;
  /** Times in seconds. */
  readonly jwt: JwtKeys & {
    expires: number;
    nbfTolerance: number;
    issuer: string;
    /** What tokens carry as `aud`, and of which they must have one. */
    audience: string | string[] | undefined;
    type: Settings['JWT_TYP'];
    identityClaim: string;
    headerName: string;
    headerType: string;
    invalidTokenStatus: 401 | 422;
  };
  readonly bcryptCost: number;
  /** How many threads hash passwords, and how long one may wait for them, in seconds. */
  readonly hashing: { threads: number; maxWait: number };
  readonly passwordMinLength: number;
  /** Times in seconds. */
  readonly sessions: {
    idle: number;
    absolute: number;
    reuseWindow: number;
    /** How many of a user's sessions may be alive. */
    perUser: number;
    recoveryWindow: number;
    cleanupInterval: number;
  };

  /** Whether the refresh token is also given as a cookie. */
  readonly authCookies: boolean;
  /** Which hosts and sites the cookie is for; without a domain, this host alone. */
  readonly cookie: { domain: string | undefined; sameSite: 'strict' | 'lax' | 'none' };
  /** Whether cookies are for https alone. The `Host` of a request has no say in it. */
  readonly secureCookies: boolean;
  readonly redisUrl: string | undefined;
  readonly rateLimits: Settings['RATE_LIMITS'];
  readonly limits: Record<LimitName, Rate>;
  /** The longest wait after repeated failures of one address for one username, in seconds. */
  readonly failedPairMax: number;
  /** A range service of breached passwords, without a slash at its end. */
  readonly pwnedPasswordsUrl: string | undefined;
  /** Where users reach this server, without a slash at its end. */
  readonly publicUrl: string;
  readonly mail: MailConfig;
  readonly requireVerifiedEmail: boolean;
  /** Undefined where nobody is told of changes. */
  readonly webhooks: WebhookConfig | undefined;

  private constructor(
    settings: Settings,
    keys: JwtKeys,
    generated: { path: string; created: boolean } | undefined,
    /** A sentence about each setting without effect, or with a name that resembles ours; never a value. */
    readonly warnings: readonly string[],
  ) {
    this.production = settings.NODE_ENV === 'production';
    this.host = settings.HOST;
    this.port = settings.PORT ?? 3000;
    this.dataDir = settings.DATA_DIR;
    this.databaseUrl = databaseUrl(settings);
    this.bootstrapAdmin = settings.BOOTSTRAP_ADMIN;
    this.database = {
      poolSize: settings.DATABASE_POOL_SIZE ?? 10,
      timeout: settings.DATABASE_TIMEOUT,
      waitTimeout: settings.DATABASE_WAIT_TIMEOUT,
    };
    this.shutdownDelay = settings.SHUTDOWN_DELAY;
    this.auditRetention = settings.AUDIT_RETENTION;
    this.metricsToken = settings.METRICS_TOKEN;
    const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
    this.telemetry =
      endpoint === undefined
        ? undefined
        : {
            endpoint,
            headers: settings.OTEL_EXPORTER_OTLP_HEADERS ?? {},
            serviceName: settings.OTEL_SERVICE_NAME,
          };
    this.docs = settings.DOCS === 'on';
    this.logLevel = settings.LOG_LEVEL;
    this.corsOrigins = settings.CORS_ORIGINS;
    this.trustProxy = settings.TRUST_PROXY;
    this.generatedSecretPath = generated?.path;
    this.generatedSecretCreated = generated?.created ?? false;
    this.jwt = {
      ...keys,
      expires: settings.JWT_EXPIRES,
      nbfTolerance: settings.JWT_NBF_TOLERANCE,
      issuer: settings.JWT_ISSUER,
      audience: settings.JWT_DECODE_AUDIENCE,
      type: settings.JWT_TYP,
      identityClaim: settings.JWT_IDENTITY_CLAIM,
      headerName: settings.JWT_HEADER_NAME,
      headerType: settings.JWT_HEADER_TYPE,
      invalidTokenStatus: settings.JWT_INVALID_TOKEN_STATUS === '422' ? 422 : 401,
    };
    this.bcryptCost = settings.TEST_BCRYPT_COST ?? settings.BCRYPT_COST ?? 12;
    this.hashing = {
      threads: settings.HASH_THREADS ?? availableParallelism(),
      maxWait: settings.HASH_MAX_WAIT,
    };
    this.passwordMinLength = settings.PASSWORD_MIN_LENGTH ?? 8;
    this.authCookies = settings.AUTH_COOKIES === 'on';
    this.cookie = {
      domain: settings.AUTH_COOKIE_DOMAIN,
      sameSite: settings.AUTH_COOKIE_SAMESITE,
    };
    this.sessions = {
      idle: settings.SESSION_IDLE_EXPIRES,
      absolute: settings.SESSION_ABSOLUTE_EXPIRES,
      perUser: settings.SESSIONS_PER_USER ?? 100,
      reuseWindow: settings.REFRESH_REUSE_WINDOW,
      recoveryWindow: settings.REFRESH_RECOVERY_WINDOW,
      cleanupInterval: settings.SESSION_CLEANUP_INTERVAL,
    };
    this.redisUrl = settings.REDIS_URL;
    this.rateLimits = settings.RATE_LIMITS;
    this.limits = {
      login: settings.LIMIT_LOGIN,
      register: settings.LIMIT_REGISTER,
      refresh: settings.LIMIT_REFRESH,
      forgot: settings.LIMIT_FORGOT,
      mail: settings.LIMIT_MAIL,
      failedAddress: settings.LIMIT_FAILED_ADDRESS,
      failedPair: settings.LIMIT_FAILED_PAIR,
      failedUsername: settings.LIMIT_FAILED_USERNAME,
      failedSlow: settings.LIMIT_FAILED_SLOW,
    };
    this.failedPairMax = settings.LIMIT_FAILED_PAIR_MAX;
    this.pwnedPasswordsUrl = settings.PWNED_PASSWORDS_URL?.replace(/\/+$/, '');
    this.publicUrl = settings.PUBLIC_URL ?? `http://${localHost(this.host)}:${this.port}`;
    this.secureCookies = this.production || this.publicUrl.startsWith('https:');
    this.mail = mailConfig(settings);
    this.requireVerifiedEmail = settings.REQUIRE_VERIFIED_EMAIL === 'on';
    this.webhooks = webhookConfig(settings);
  }

  /**
   * Reads the settings from `env`, by default the process's environment over a `.env` file.
   * Outside production a missing HMAC secret is made in `DATA_DIR`, by `makeSecret`.
   *
   * @throws ConfigError naming every setting that is missing or wrong
   */
  static load(
    env: Record<string, string | undefined> = environment(),
    makeSecret = generatedSecret,
  ): Config {
    const { given, issues } = givenSettings(env, new Set(Object.keys(SETTINGS)));
    const parsed = settingsSchema.safeParse(given);
    for (const { path, message } of parsed.error?.issues ?? []) {
      issues.push({ name: String(path[0]), expected: message });
    }
    const production = given.NODE_ENV === 'production';
    if (production && given.TEST_BCRYPT_COST !== undefined) {
      issues.push({ name: 'TEST_BCRYPT_COST', expected: 'not allowed in production' });
    }
    if (parsed.data?.AUTH_COOKIES === 'on' && parsed.data.CORS_ORIGINS.length === 0) {
      issues.push({ name: 'CORS_ORIGINS', expected: 'the origins that AUTH_COOKIES=on is for' });
    }
    if (
      production &&
      parsed.data?.AUTH_COOKIES === 'on' &&
      parsed.data.PUBLIC_URL?.startsWith('http:')
    ) {
      const expected =
        'https:// with AUTH_COOKIES=on in production, where cookies are for https alone';
      issues.push({ name: 'PUBLIC_URL', expected });
    }
    if (given.SMTP_URL !== undefined && given.MAIL_FROM === undefined) {
      issues.push({ name: 'MAIL_FROM', expected: 'needed with SMTP_URL' });
    }
    if (production && given.SMTP_URL !== undefined && given.PUBLIC_URL === undefined) {
      issues.push({ name: 'PUBLIC_URL', expected: 'needed with SMTP_URL in production' });
    }
    if (parsed.data) {
      issues.push(...webhookIssues(parsed.data), ...cookieIssues(parsed.data, production));
    }
    const keySource = {
      JWT_ALGORITHM: JWT_ALGORITHMS.find((known) => known === given.JWT_ALGORITHM),
      JWT_SECRET_KEY: given.JWT_SECRET_KEY,
      JWT_PRIVATE_KEY: given.JWT_PRIVATE_KEY,
      JWT_PUBLIC_KEY: given.JWT_PUBLIC_KEY,
      JWT_PREVIOUS_SECRET_KEYS: given.JWT_PREVIOUS_SECRET_KEYS,
      JWT_PREVIOUS_PUBLIC_KEYS: given.JWT_PREVIOUS_PUBLIC_KEYS,
    };
    // A secret is made only when nothing else stands in the way of the start.
    let generated: ReturnType<typeof generatedSecret> | undefined;
    if (usesSecret(keySource) && keySource.JWT_SECRET_KEY === undefined && !production) {
      if (issues.length > 0 || !parsed.data) throw new ConfigError(issues);
      generated = makeSecret(parsed.data.DATA_DIR);
      keySource.JWT_SECRET_KEY = generated.secret;
    }
    const keys = readJwtKeys(keySource);
    if (Array.isArray(keys)) issues.push(...keys);
    else if (production) issues.push(...knownSecrets(given, keys));
    if (issues.length > 0 || !parsed.data || Array.isArray(keys)) throw new ConfigError(issues);
    return new Config(parsed.data, keys, generated, oddSettings(given));
  }
}

/** Where the database is, without asking for the other settings. @throws ConfigError */
export function databaseUrl(
  env: { DATABASE_URL?: string; DATA_DIR?: string } = environment(),
): string {
  const { DATA_DIR, DATABASE_URL } = settingsSchema.shape;
  const url = DATABASE_URL.safeParse(env.DATABASE_URL || undefined);
  if (!url.success) {
    const expected = url.error.issues[0]?.message ?? '';
    throw new ConfigError([{ name: 'DATABASE_URL', expected }]);
  }
  return url.data ?? `sqlite:${join(DATA_DIR.parse(env.DATA_DIR || undefined), 'latchkey.sqlite')}`;
}

/** The address a browser on this machine has for a listener on `host`. */
function localHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || isLoopback(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** Returns the values of `.env`, and over them the process's environment. @throws ConfigError naming its bad lines */
export function environment(): Record<string, string | undefined> {
  const { values, issues } = readEnvFile();
  if (issues.length > 0) throw new ConfigError(issues);
  return { ...values, ...process.env };
}
