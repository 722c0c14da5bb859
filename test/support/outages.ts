import { randomUUID } from 'node:crypto';
import { User } from '../../src/users/user.entity.js';
import type { Answer } from './load.js';
import type { Server } from './server.js';

/** The bound for the database, in seconds. A step can take two of it. */
export const TIMES = { DATABASE_TIMEOUT: '1' };
/** The longest answer that the settings allow, and what a busy machine may add, in milliseconds. */
export const BOUND = 2_250;
export const SLACK = 4_000;

/** Every request was answered in time, with success or a 503, and no client lost a token by it. */
export function expectOnlyUnavailable(answers: Answer[]): void {
  const odd = answers.filter(
    ({ what, status, code, retryAfter, ms }) =>
      ms > BOUND + SLACK ||
      !(status < 300 || (status === 503 && code === 'unavailable' && retryAfter === '5')) ||
      (what === 'protected' && status !== 200),
  );
  expect(odd).toEqual([]);
  expect(answers.filter(({ what }) => what === 'protected').length).toBeGreaterThan(0);
}

/** All acknowledged names are stored, and the server goes on without a restart. */
export async function expectNothingLost(server: Server, acknowledged: string[]): Promise<void> {
  const stored = await server.withDatabase((db) => db.getRepository(User).find());
  const names = new Set(stored.map(({ username }) => username));
  expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
  await server.http.get('/health/ready').expect(200);
  const afterwards = `afterwards-${randomUUID()}`;
  await server.register(afterwards);
  await server.login(afterwards);
  const loud = server.log.filter(({ level }) => Number(level) >= 50);
  expect(loud).toEqual([]);
}

/** The warnings about requests: the server also warns of its own work. */
export const warnings = (server: Server) =>
  server.log.filter(({ level, reqId }) => level === 40 && reqId);
