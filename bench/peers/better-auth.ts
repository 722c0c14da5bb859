/**
 * better-auth with e-mail and password on Fastify, in the SQLite of Node (22.13 and later), as its documentation sets
 * it up. Paths and bodies are Latchkey's; the token is that of the session, sent as a bearer token.
 *
 * Duties: users, sessions in the database, scrypt, a session that ends or is revoked at once, a session looked up for
 * each guarded request.
 *
 * Omissions: rate limits (as for all), log lines, metrics, request ids, security headers, an audit, hashing in threads
 * of its own, a bound on waiting logins.
 */
import { DatabaseSync } from 'node:sqlite';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders } from 'better-auth/node';
import { bearer } from 'better-auth/plugins';
import { fastify } from 'fastify';

const { SECRET, USERNAME = '', PASSWORD = '', DATA_DIR = '.', PORT, HOST = '' } = process.env;

const emailOf = (username: string) => `${username}@example.com`;

const auth = betterAuth({
  baseURL: `http://${HOST}:${PORT}`,
  secret: SECRET,
  database: new DatabaseSync(`${DATA_DIR}/better-auth.sqlite`),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [bearer()],
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
await auth.api
  .signUpEmail({ body: { name: USERNAME, email: emailOf(USERNAME), password: PASSWORD } })
  // The next start has the user already.
  .catch(() => undefined);

const app = fastify({ logger: false });

app.get('/health/live', () => ({ status: 'ok' }));

app.post<{ Body: { username: string; password: string } }>('/login', async ({ body }, reply) => {
  try {
    const { token } = await auth.api.signInEmail({
      body: { email: emailOf(body.username), password: body.password },
    });
    return { jwt: token };
  } catch {
    return reply.code(401).send({ message: 'Unauthorized' });
  }
});

for (const path of ['/protected', '/me']) {
  app.get(path, async (request, reply) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
    if (!session) return reply.code(401).send({ message: 'Unauthorized' });
    return { hello_from: session.user.name };
  });
}

await app.listen({ port: Number(PORT), host: HOST });

// An end by a signal would leave no profile behind.
process.once('SIGTERM', () => process.exit());
