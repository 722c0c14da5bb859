/** PostgreSQL's codes for a server that cannot serve now (SQLSTATE, classes and single codes). */
const POSTGRES = new RegExp(
  [
    '^(08|53|57P|58)', // connection, resources, operator intervention (stopping, starting), disk
    '57014', // a statement that took too long
    '55P03|40001|40P01', // a lock, a conflict, a deadlock: the same again may succeed
    '25006|25P0[34]', // a standby, or a transaction that was cut off
    '28...|3D000', // a login that is refused
  ].join('|^'),
);

/** SQLite's codes for a locked, full, read-only, missing or broken file. */
const SQLITE = /^SQLITE_(BUSY|LOCKED|FULL|READONLY|IOERR|CANTOPEN|PROTOCOL|NOMEM)/;

/** Messages of pg and TypeORM that come without a code. */
const MESSAGES = [
  'Connection terminated',
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Client has encountered a connection error',
  'Client was closed',
  'Cannot use a pool after calling end on the pool',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
  // The connection of a transaction was lost between two of its statements.
  'Query runner already released',
  'Database connection provided by a query runner was already released',
];

/**
 * Returns why the database, or another resource of the network, cannot be used now: a code or a short phrase
 * for the log, without any statement or parameter. Undefined for an error of another kind.
 */
export function reasonUnavailable(error: unknown): string | undefined {
  const { code, syscall, driverError, errors, message } = (error ?? {}) as Record<string, unknown>;
  // TypeORM wraps the driver's error.
  if (driverError !== undefined && driverError !== error) return reasonUnavailable(driverError);
  // There is one for each address of a name.
  if (Array.isArray(errors) && errors.length > 0) return reasonUnavailable(errors[0]);
  if (typeof code === 'string') {
    const ofNetwork =
      typeof syscall === 'string' && /^(connect|read|write|getaddrinfo)$/.test(syscall);
    const ofTls = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code);
    const ofPostgres = /^[\dA-Z]{5}$/.test(code) && POSTGRES.test(code);
    if (ofNetwork || ofTls || ofPostgres || SQLITE.test(code)) return code;
  }
  return MESSAGES.find((known) => String(message).startsWith(known));
}
