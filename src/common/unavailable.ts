/** What PostgreSQL says when it cannot serve just now (SQLSTATE, classes and single codes). */
const POSTGRES = new RegExp(
  [
    '^(08|53|57P|58)', // connection, resources, operator intervention (stopping, starting), disk
    '57014', // the statement took too long
    '55P03|40001|40P01', // a lock, a conflict, a deadlock: the same again may succeed
    '25006|25P0[34]', // a standby, or a transaction that was cut off
    '28...|3D000', // it does not let us in any more
  ].join('|^'),
);

/** What SQLite says when the file is locked, or the disk full, read-only, gone or broken. */
const SQLITE = /^SQLITE_(BUSY|LOCKED|FULL|READONLY|IOERR|CANTOPEN|PROTOCOL|NOMEM)/;

/** What pg and TypeORM say without a code. */
const SAYINGS = [
  'Connection terminated',
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Client has encountered a connection error',
  'Client was closed',
  'Cannot use a pool after calling end on the pool',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
  // A transaction's connection was lost between two of its statements.
  'Query runner already released',
  'Database connection provided by a query runner was already released',
];

/**
 * Why `error` means that the database, or what else is asked over the network, cannot be used just
 * now: a code or a short saying for the log, nothing of a statement or its parameters. Undefined where
 * the error is of another kind.
 */
export function reasonUnavailable(error: unknown): string | undefined {
  const { code, syscall, driverError, errors, message } = (error ?? {}) as Record<string, unknown>;
  // TypeORM wraps what a driver says.
  if (driverError !== undefined && driverError !== error) return reasonUnavailable(driverError);
  // One for each address of a name.
  if (Array.isArray(errors) && errors.length > 0) return reasonUnavailable(errors[0]);
  if (typeof code === 'string') {
    const ofNetwork =
      typeof syscall === 'string' && /^(connect|read|write|getaddrinfo)$/.test(syscall);
    const ofTls = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code);
    const ofPostgres = /^[\dA-Z]{5}$/.test(code) && POSTGRES.test(code);
    if (ofNetwork || ofTls || ofPostgres || SQLITE.test(code)) return code;
  }
  return SAYINGS.find((saying) => String(message).startsWith(saying));
}
