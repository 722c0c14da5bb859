import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { LATCHKEY_URL = 'http://localhost:3000', PORT = '4000' } = process.env;

// Fetches the keys when it needs them, keeps them, and fetches them again for an unknown key.
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', LATCHKEY_URL));

/** Returns the claims of the request's access token. */
async function authenticate(request) {
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const { payload } = await jwtVerify(token, keys, {
    issuer: 'latchkey', // Latchkey's JWT_ISSUER
    audience: 'cats', // Latchkey's JWT_DECODE_AUDIENCE
    typ: 'at+jwt',
    algorithms: ['ES256', 'RS256'], // never HS*: a service with the secret can sign tokens too
    requiredClaims: ['sub', 'exp', 'username', 'roles'],
  });
  return payload;
}

const server = createServer(async (request, response) => {
  try {
    const { username } = await authenticate(request);
    answer(response, 200, { owner: username, cats: ['Tom'] });
  } catch (error) {
    // Other errors are no fault of the token: the service could not fetch the keys.
    const refused = /^ERR_(JWT_|JWS_|JOSE_ALG|JOSE_NOT|JWKS_NO|JWKS_MULTIPLE)/.test(error.code);
    answer(response, refused ? 401 : 503, { code: error.code ?? 'unavailable' });
  }
});

function answer(response, status, body) {
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

server.listen(Number(PORT), 'localhost', () => {
  console.log(`Cats at http://localhost:${server.address().port}`);
});
