import bcrypt from 'bcrypt';
import jwt from 'jsonwebtoken';
import { Config } from '../../src/config/config.js';
import { Keyring } from '../../src/keys/keyring.js';
import { RefreshTokens } from '../../src/sessions/refresh-token.js';
import type { Child } from '../child.js';
import { ask, askWell, exchange, register, signIn } from '../client.js';
import { inTurns, LEFT_OUT, onEachDatabase } from '../databases.js';
import { load, type Loaded } from '../load.js';
import { median, type Plan, ratio } from '../measure.js';
import { digits, type Section, type Target } from '../report.js';
import { SECRET, type Stage, USER } from '../stage.js';

const SMALL = 1_000;
const SAMPLES = 500;
const ROUTES = ['login', 'refresh', '/me'] as const;

/** One server, and users of its database with their tokens. */
export interface Filled {
  server: Child;
  rows: number;
  users: { username: string; jwt: string; refreshToken: string }[];
  next: number;
}

/** Measures how much longer each request takes on a large database, on SQLite and on PostgreSQL. */
export async function size(plan: Plan): Promise<Section> {
  const rows: string[][] = [];
  const targets: Target[] = [];
  const loading: string[] = [];
  await onEachDatabase(plan, async ({ kind, stage, url }) => {
    const small = await filled(stage, await url('small'), SMALL, plan);
    const began = performance.now();
    const large = await filled(stage, await url('large'), plan.rows, plan);
    const seconds = Math.round((performance.now() - began) / 1000);
    loading.push(`${kind} ${seconds} s`);
    for (const route of ROUTES) {
      const count = route === 'login' ? (plan.quick ? 4 : 8) : plan.quick ? 50 : 300;
      const time = (filled: Filled) => () => one(route, filled);
      const { few, many } = await inTurns(plan, count, time(small), time(large));
      const slower = ratio(many, few);
      rows.push([
        `${kind} ${route}`,
        ...[few, many].map((ms) => digits(median(ms))),
        digits(slower),
      ]);
      targets.push({
        what: `${route} with ${digits(plan.rows)} users on ${kind}, to ${digits(SMALL)}`,
        measured: slower,
        atMost: 1.1,
        unit: ' ×',
      });
    }
  });
  return {
    title: 'A large database',
    text:
      `${digits(SMALL)} and ${digits(plan.rows)} users with a session each; requests for ${SAMPLES} ` +
      'of them, spread evenly, one at a time and in turns to both. Milliseconds, medians; the ratio ' +
      `is the median of the rounds’. Loading took: ${loading.join(', ')}.${LEFT_OUT}`,
    columns: ['', `${digits(SMALL)} users`, `${digits(plan.rows)} users`, 'ratio'],
    rows,
    targets,
  };
}

/** Milliseconds of one request. */
async function one(route: (typeof ROUTES)[number], filled: Filled): Promise<number> {
  const user = filled.users[filled.next++ % filled.users.length];
  if (!user) throw new Error('no users');
  const { server } = filled;
  if (route === '/me') return (await askWell(server, 'GET', '/me', { jwt: user.jwt })).ms;
  if (route === 'refresh') {
    const answer = await exchange(server, user.refreshToken);
    user.refreshToken = answer.body.refresh_token;
    return answer.ms;
  }
  const body = { username: user.username, password: USER.password };
  return (await askWell(server, 'POST', '/login', { body })).ms;
}

/** A server on a database of `rows` users. */
export async function filled(
  stage: Stage,
  url: string,
  rows: number,
  plan: Plan,
  env: Record<string, string> = {},
): Promise<Filled> {
  const server = await stage.latchkey(`Latchkey with ${rows}`, { DATABASE_URL: url, ...env });
  await register(server);
  const [template] = await signIn(server, 1);
  const loaded = await load(url, rows, await bcrypt.hash(USER.password, plan.cost), SAMPLES);
  const config = Config.load({ JWT_SECRET_KEY: SECRET, DATA_DIR: stage.dir });
  const refreshTokens = new RefreshTokens(new Keyring(config));
  const users = loaded.map((user) => ({
    username: user.username,
    jwt: tokenOf(user, template?.jwt ?? ''),
    refreshToken: refreshTokens.issue({
      sessionId: user.sessionId,
      generation: 0,
      salt: user.salt,
    }),
  }));
  // A row that does not fit fails here with its answer, and not as a strange figure.
  const { status } = await ask(server, 'GET', '/me', { jwt: users[0]?.jwt });
  if (status !== 200) throw new Error(`the loaded users are not accepted: ${status}`);
  return { server, rows, users, next: 0 };
}

/** The access token of a login, made that of a loaded user. */
function tokenOf({ userId, username, sessionId }: Loaded, template: string): string {
  const decoded = jwt.decode(template, { complete: true });
  if (!decoded) throw new Error('not a token');
  const claims = { ...(decoded.payload as jwt.JwtPayload), sub: userId, username, sid: sessionId };
  // It has to last for as long as the benchmark.
  const payload = { ...claims, exp: Math.floor(Date.now() / 1000) + 3600 };
  return jwt.sign(JSON.stringify(payload), SECRET, { header: decoded.header });
}
