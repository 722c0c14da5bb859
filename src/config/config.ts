import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isLoopbackHost } from '../common/network.js';
import { ConfigError } from './config-error.js';
import { DATABASE_SETTINGS } from './database.settings.js';
import { environment } from './environment.js';
import { generatedSecret } from './generated-secret.js';
import { type JwtKeys, readJwtKeys, usesSecret } from './jwt-keys.js';
import { knownSecrets } from './known-secrets.js';
import { type LimitName, LIMITS } from './limits.js';
import type { MailConfig } from './mail.settings.js';
import { type Rate, readRate } from './rate.js';
import type { RateLimitsValue } from './rate-limits.settings.js';
import { readSettings } from './read-settings.js';
import { SERVER_SETTINGS } from './server.settings.js';
import type { Settings, SettingsSection, ValuesOf } from './setting.js';
import { settingWarnings } from './setting-warnings.js';
import type { CoreValues } from './settings.js';
import { JWT_ALGORITHMS } from './tokens.settings.js';

export { ConfigError } from './config-error.js';
export { environment } from './environment.js';

/** The typed settings, read once at the start. A capability reads its own settings by {@link Config.of}. */
export class Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** Times in seconds: for a statement, and for a connection or the turn to write. */
  readonly database: { poolSize: number; timeout: number; waitTimeout: number };
  /** Seconds between turning not ready and stopping. */
  readonly shutdownDelay: number;
  readonly metricsToken: string | undefined;
  /** Whether the API is described at `/docs` and `/openapi.json`. */
  readonly docs: boolean;
  readonly logLevel: CoreValues['LOG_LEVEL'];
  readonly corsOrigins: readonly string[];
  readonly trustProxy: CoreValues['TRUST_PROXY'];
  /** The path of the file with the generated JWT secret; undefined if the settings give one. */
  readonly generatedSecretPath: string | undefined;
  /** Whether this start generated it. */
  readonly generatedSecretCreated: boolean;
  /** `expires` in seconds. */
  readonly jwt: JwtKeys & {
    expires: number;
    issuer: string;
    /** The claim `aud` of tokens, of which an accepted token has at least one. */
    audience: string | string[] | undefined;
    type: CoreValues['JWT_TYP'];
    identityClaim: string;
    headerName: string;
    headerType: string;
    invalidTokenStatus: 401 | 422;
  };
  /** How people sign in. With `email` an account has no username, and the address stands for it. */
  readonly identifier: CoreValues['IDENTIFIER'];
  readonly bcryptCost: number;
  /** How many threads hash passwords. */
  readonly hashing: { threads: number };
  readonly passwordMinLength: number;
  /** Times in seconds, and the largest number of sessions of one user. */
  readonly sessions: { idle: number; absolute: number; recoveryWindow: number; perUser: number };
  /** Whether browsers get the refresh token as a cookie. */
  readonly authCookies: boolean;
  /** The hosts and sites of the cookie. Without a domain only this host gets it. */
  readonly cookie: { domain: string | undefined; sameSite: 'strict' | 'lax' | 'none' };
  /** Whether cookies need https. The `Host` of a request does not matter. */
  readonly secureCookies: boolean;
  readonly redisUrl: string | undefined;
  readonly rateLimits: RateLimitsValue['mode'];
  readonly limits: Record<LimitName, Rate>;
  /** A range service of breached passwords, without a slash at its end. */
  readonly pwnedPasswordsUrl: string | undefined;
  /** The address of this server for its users, without a slash at its end. */
  readonly publicUrl: string;
  readonly mail: MailConfig;
  readonly requireVerifiedEmail: boolean;
  /** The roles whose holders need a second factor. */
  readonly mfaRequired: readonly string[];

  private constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    keys: JwtKeys,
    generated: { path: string; created: boolean } | undefined,
    /** Sentences about settings without effect, without their values. */
    readonly warnings: readonly string[],
  ) {
    const settings = values as CoreValues;
    this.production = settings.NODE_ENV === 'production';
    this.host = settings.HOST;
    this.port = settings.PORT;
    this.dataDir = settings.DATA_DIR;
    this.databaseUrl = databaseUrl(settings);
    const timeout = settings.DATABASE_TIMEOUT;
    this.database = { poolSize: settings.DATABASE_POOL_SIZE, timeout, waitTimeout: timeout };
    this.shutdownDelay = settings.SHUTDOWN_DELAY;
    this.metricsToken = settings.METRICS_TOKEN;
    this.docs = settings.DOCS === 'on';
    this.logLevel = settings.LOG_LEVEL;
    this.corsOrigins = settings.CORS_ORIGINS;
    this.trustProxy = settings.TRUST_PROXY;
    this.generatedSecretPath = generated?.path;
    this.generatedSecretCreated = generated?.created ?? false;
    this.jwt = {
      ...keys,
      expires: settings.JWT_EXPIRES,
      issuer: settings.JWT_ISSUER,
      audience: settings.JWT_DECODE_AUDIENCE,
      type: settings.JWT_TYP,
      identityClaim: settings.JWT_IDENTITY_CLAIM,
      headerName: settings.JWT_HEADER_NAME,
      headerType: settings.JWT_HEADER_TYPE,
      invalidTokenStatus: settings.JWT_INVALID_TOKEN_STATUS === '422' ? 422 : 401,
    };
    this.identifier = settings.IDENTIFIER;
    this.bcryptCost = settings.BCRYPT_COST;
    this.hashing = { threads: settings.HASH_THREADS ?? availableParallelism() };
    this.passwordMinLength = settings.PASSWORD_MIN_LENGTH;
    this.authCookies = settings.AUTH_COOKIES !== 'off';
    this.cookie = {
      domain: settings.AUTH_COOKIE_DOMAIN,
      sameSite: SAME_SITE[settings.AUTH_COOKIES],
    };
    this.sessions = {
      idle: settings.SESSION_IDLE_EXPIRES,
      absolute: settings.SESSION_ABSOLUTE_EXPIRES,
      recoveryWindow: settings.REFRESH_RECOVERY_WINDOW,
      perUser: settings.SESSIONS_PER_USER,
    };
    this.redisUrl = settings.REDIS_URL;
    this.rateLimits = settings.RATE_LIMITS.mode;
    this.limits = limitsOf(settings.RATE_LIMITS);
    this.pwnedPasswordsUrl = settings.PWNED_PASSWORDS_URL?.replace(/\/+$/, '');
    this.publicUrl = settings.PUBLIC_URL ?? `http://${localHost(this.host)}:${this.port}`;
    this.secureCookies = this.production || this.publicUrl.startsWith('https:');
    this.mail = {
      smtp: settings.SMTP_URL,
      from: settings.MAIL_FROM,
      shown: settings.NODE_ENV === 'development' && settings.SMTP_URL === undefined,
      templates: settings.MAIL_TEMPLATES,
    };
    this.mfaRequired = settings.MFA_REQUIRED;
    this.requireVerifiedEmail = settings.REQUIRE_VERIFIED_EMAIL === 'on';
  }

  /**
   * Reads the settings from `env`, by default the process's environment over a `.env` file.
   * Outside production `makeSecret` generates a missing HMAC secret in `DATA_DIR`.
   *
   * @throws ConfigError naming every setting that is missing or wrong
   */
  static load(
    env: Record<string, string | undefined> = environment(),
    makeSecret = generatedSecret,
  ): Config {
    const { given, issues, production, values } = readSettings(env);
    const keySource = {
      JWT_ALGORITHM: JWT_ALGORITHMS.find((known) => known === given.JWT_ALGORITHM),
      JWT_SECRET_KEY: given.JWT_SECRET_KEY,
      JWT_PRIVATE_KEY: given.JWT_PRIVATE_KEY,
      JWT_PUBLIC_KEY: given.JWT_PUBLIC_KEY,
      JWT_PREVIOUS_SECRET_KEYS: given.JWT_PREVIOUS_SECRET_KEYS,
      JWT_PREVIOUS_PUBLIC_KEYS: given.JWT_PREVIOUS_PUBLIC_KEYS,
    };
    let generated: ReturnType<typeof generatedSecret> | undefined;
    if (usesSecret(keySource) && keySource.JWT_SECRET_KEY === undefined && !production) {
      // A start that fails for another reason leaves no secret behind.
      if (issues.length > 0 || !values) throw new ConfigError(issues);
      generated = makeSecret((values as CoreValues).DATA_DIR);
      keySource.JWT_SECRET_KEY = generated.secret;
    }
    const keys = readJwtKeys(keySource);
    if (Array.isArray(keys)) issues.push(...keys);
    else if (production) issues.push(...knownSecrets(given, keys));
    if (issues.length > 0 || !values || Array.isArray(keys)) throw new ConfigError(issues);
    return new Config(values, keys, generated, settingWarnings(given));
  }

  /** Returns the values of a section: `config.of(WEBHOOK_SETTINGS).WEBHOOK_URL`. */
  of<T extends Settings>({ title, settings }: SettingsSection<T>): ValuesOf<T> {
    const names = Object.keys(settings);
    const missing = names.find((name) => !(name in this.values));
    if (missing !== undefined) throw new Error(`The section ${title} was declared after the start`);
    return Object.fromEntries(names.map((name) => [name, this.values[name]])) as ValuesOf<T>;
  }
}

/** `SameSite` of the cookie by the value of `AUTH_COOKIES`. */
const SAME_SITE = { off: 'strict', on: 'strict', lax: 'lax', 'cross-site': 'none' } as const;

function limitsOf({ rates }: RateLimitsValue): Record<LimitName, Rate> {
  const limits = Object.entries(LIMITS).map(([name, { rate }]) => [
    name,
    rates[name] ?? readRate(rate),
  ]);
  return Object.fromEntries(limits) as Record<LimitName, Rate>;
}

/** Returns the address of the database without reading the other settings. @throws ConfigError */
export function databaseUrl(
  env: { DATABASE_URL?: string | undefined; DATA_DIR?: string } = environment(),
): string {
  const url = DATABASE_SETTINGS.settings.DATABASE_URL.schema.safeParse(
    env.DATABASE_URL || undefined,
  );
  if (!url.success) {
    const expected = url.error.issues[0]?.message ?? '';
    throw new ConfigError([{ name: 'DATABASE_URL', expected }]);
  }
  const { schema } = SERVER_SETTINGS.settings.DATA_DIR;
  return url.data ?? `sqlite:${join(schema.parse(env.DATA_DIR || undefined), 'latchkey.sqlite')}`;
}

/** Returns the host that a browser on this machine uses for a listener on `host`. */
function localHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || isLoopbackHost(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
