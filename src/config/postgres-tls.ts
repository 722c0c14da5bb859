import type { ConnectionOptions } from 'node:tls';
import { readTextFile } from '../common/text-file.js';

/** The modes of libpq's `sslmode`, from no protection to all of it. */
const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** The words that `DATABASE_URL` may have after `?`. */
export const POSTGRES_WORDS = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslnegotiation',
  'ssl',
  'host',
  'port',
  'user',
  'password',
  'application_name',
  'options',
] as const;

/** Whether a `postgres://` URL leads to a Unix socket: `host` is a path. */
export function isUnixSocket(postgresUrl: string): boolean {
  const [address = '', query = ''] = postgresUrl.split(/\?(.*)/s);
  const host = new URLSearchParams(query).get('host');
  if (host !== null && host !== '') return host.startsWith('/');
  return /^\w+:\/\/([^/]*@)?%2f/i.test(address);
}

/** A `postgres://` URL without its TLS parameters, and these parameters. */
export interface PostgresTls {
  url: string;
  ssl: false | ConnectionOptions;
  /** Whether to continue without TLS if the server has none. */
  optional: boolean;
}

/**
 * Takes `sslmode`, `sslrootcert`, `sslcert` and `sslkey` (paths of PEM files) out of a URL. They have libpq's
 * meaning and not pg's. `require` encrypts and trusts any server, unless a root certificate is given (then it
 * is `verify-ca`). `verify-full` checks the name as well. `allow` counts as `prefer`, the default.
 * `sslrootcert=system`, or none with `verify-full`, means Node's own list of authorities. Stricter than
 * libpq: a root certificate without a mode means `verify-full`.
 *
 * @throws Error with a sentence that shows no part of the URL
 */
export function readPostgresTls(postgresUrl: string): PostgresTls {
  const [address = '', query = ''] = postgresUrl.split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  const take = (name: string): string | undefined => {
    const value = parameters.get(name) ?? undefined;
    parameters.delete(name);
    return value === '' ? undefined : value;
  };
  const root = take('sslrootcert');
  const files = {
    ca: root === 'system' ? undefined : root,
    cert: take('sslcert'),
    key: take('sslkey'),
  };
  // pg's own word.
  const word = take('ssl') ?? '';
  const ssl = /^(true|1)$/.test(word) ? 'verify-full' : /^(false|0)$/.test(word) ? 'disable' : word;
  const mode =
    take('sslmode') ?? (ssl || undefined) ?? (root === undefined ? 'prefer' : 'verify-full');
  if (!(MODES as readonly string[]).includes(mode)) {
    throw new Error(`sslmode is one of ${MODES.join(', ')}`);
  }
  if ((take('sslnegotiation') ?? 'postgres') !== 'postgres') {
    throw new Error('sslnegotiation is postgres');
  }
  if (root === 'system' && mode !== 'verify-full') {
    throw new Error('sslrootcert=system asks for sslmode=verify-full');
  }
  if (mode === 'verify-ca' && root === undefined) {
    throw new Error('sslmode=verify-ca asks for sslrootcert');
  }
  const url = parameters.size > 0 ? `${address}?${parameters.toString()}` : address;
  if (mode === 'disable') return { url, ssl: false, optional: false };
  const optional = mode === 'allow' || mode === 'prefer';
  const trusting = optional || (mode === 'require' && root === undefined);
  const pems = Object.entries(files).map(([name, path]) => [name, path && pemOf(name, path)]);
  return {
    url,
    ssl: {
      ...(Object.fromEntries(pems) as Partial<typeof files>),
      rejectUnauthorized: !trusting,
      // The certificate's name is checked by verify-full alone.
      ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    },
    optional,
  };
}

function pemOf(name: string, path: string): string {
  try {
    return readTextFile(path);
  } catch {
    throw new Error(`the file that ssl${name === 'ca' ? 'rootcert' : name} names cannot be read`);
  }
}
