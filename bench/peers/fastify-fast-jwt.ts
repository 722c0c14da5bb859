/**
 * The limit: a guarded route written by hand on Fastify, with fast-jwt (HS256, no cache), the issuer
 * checked, the answer serialised by its schema, and nothing else.
 */
import { createVerifier } from 'fast-jwt';
import { fastify } from 'fastify';

const verify = createVerifier({
  key: process.env.SECRET,
  algorithms: ['HS256'],
  allowedIss: 'latchkey',
  cache: false,
});

const app = fastify({ logger: false });

app.get('/health/live', () => ({ status: 'ok' }));

app.decorateRequest('username', '');
app.get(
  '/protected',
  {
    schema: {
      response: {
        200: { type: 'object', properties: { hello_from: { type: 'string' } } },
        401: { type: 'object', properties: { message: { type: 'string' } } },
      },
    },
    preHandler: (request, reply, done) => {
      const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
      try {
        if (scheme !== 'Bearer') throw new Error('no token');
        const claims = verify(token) as { username: string };
        (request as unknown as { username: string }).username = claims.username;
        done();
      } catch {
        reply.code(401).send({ message: 'Unauthorized' });
      }
    },
  },
  (request) => ({ hello_from: (request as unknown as { username: string }).username }),
);

await app.listen({ port: Number(process.env.PORT), host: process.env.HOST });

// An end by a signal would leave no profile behind.
process.once('SIGTERM', () => process.exit());
