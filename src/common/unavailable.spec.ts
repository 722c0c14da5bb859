import { QueryFailedError } from 'typeorm';
import { ApiError } from './api-error.js';
import { reasonUnavailable } from './unavailable.js';

const error = (fields: object, message = 'words') => Object.assign(new Error(message), fields);
const failed = (driverError: Error) => new QueryFailedError('SELECT 1', ['canary'], driverError);

it.each([
  ['PostgreSQL stopping', failed(error({ code: '57P01' })), '57P01'],
  ['PostgreSQL starting', error({ code: '57P03' }), '57P03'],
  ['a statement that took too long', failed(error({ code: '57014' })), '57014'],
  ['too many connections', error({ code: '53300' }), '53300'],
  ['a disk that is full', failed(error({ code: '53100' })), '53100'],
  ['a standby', failed(error({ code: '25006' })), '25006'],
  ['nobody there', error({ code: 'ECONNREFUSED', syscall: 'connect' }), 'ECONNREFUSED'],
  [
    'nobody at any address of a name',
    error({ code: 'ECONNREFUSED', errors: [error({ code: 'ETIMEDOUT', syscall: 'connect' })] }, ''),
    'ETIMEDOUT',
  ],
  ['no such name', error({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }), 'ENOTFOUND'],
  ['a lost connection', failed(error({ code: 'ECONNRESET', syscall: 'read' })), 'ECONNRESET'],
  ['a certificate', error({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['words of pg', failed(error({}, 'Query read timeout')), 'Query read timeout'],
  [
    'more words of pg',
    error({}, 'Connection terminated due to connection timeout'),
    'Connection terminated',
  ],
  ['a lock of SQLite', failed(error({ code: 'SQLITE_BUSY' })), 'SQLITE_BUSY'],
  ['SQLite on a full disk', failed(error({ code: 'SQLITE_FULL' })), 'SQLITE_FULL'],
])('knows %s', (_what, away, reason) => {
  expect(reasonUnavailable(away)).toBe(reason);
});

it.each([
  ['nothing', undefined],
  ['a word', 'ECONNREFUSED'],
  ['a bug', new TypeError('x is not a function')],
  ['a refusal', new ApiError('not_found')],
  ['a broken unique index', failed(error({ code: '23505' }))],
  ['a wrong statement', failed(error({ code: '42P01' }))],
  ['a broken unique index of SQLite', failed(error({ code: 'SQLITE_CONSTRAINT' }))],
  ['a damaged file', failed(error({ code: 'SQLITE_CORRUPT' }))],
  ['a client that hangs up', error({ code: 'ECONNRESET' }, 'aborted')],
  ['a missing file', error({ code: 'ENOENT', syscall: 'open' })],
])('takes %s for something else', (_what, other) => {
  expect(reasonUnavailable(other)).toBeUndefined();
});
