import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { etagOf, isKnown } from '../common/etag.js';
import type { Config } from '../config/config.js';

/** The files of Swagger UI that the page loads, with their content types. */
const UI_FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Latchkey API</title>
    <link rel="icon" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** A reload keeps the token that was entered. */
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: true,
});
`;

/**
 * Serves the OpenAPI document as JSON, as YAML and as a page. Each text is made once, at its first request:
 * making it takes 9 ms of the one thread that answers all clients. The libraries for it load at that time,
 * too.
 */
export function serveDocs(app: NestFastifyApplication, config: Config): void {
  if (!config.docs) return;
  // Only the text is kept: the objects of the document take many times its memory.
  const json = once(async () => {
    const { documentOf } = await import('./api-document.js');
    return Buffer.from(JSON.stringify(documentOf(app, config)));
  });
  serve(app, '/openapi.json', 'application/json; charset=utf-8', json);
  serve(app, '/openapi.yaml', 'application/yaml; charset=utf-8', async () => {
    const { dump } = await import('js-yaml');
    return dump(JSON.parse((await json()).toString()), { noRefs: true });
  });
  serve(app, '/docs', 'text/html; charset=utf-8', () => PAGE);
  serve(app, '/docs/', 'text/html; charset=utf-8', () => PAGE);
  serve(app, '/docs/start.js', 'text/javascript; charset=utf-8', () => START);
  const { resolve } = createRequire(import.meta.url);
  for (const [file, type] of Object.entries(UI_FILES)) {
    serve(app, `/docs/${file}`, type, () => readFile(resolve(`swagger-ui-dist/${file}`)));
  }
}

/** Serves a text with an ETag. `make` makes the text at the first request. */
function serve(
  app: NestFastifyApplication,
  path: string,
  type: string,
  make: () => string | Promise<string | Buffer>,
): void {
  const made = once(async () => {
    const text = await make();
    const content = typeof text === 'string' ? Buffer.from(text) : text;
    return { content, etag: etagOf(content) };
  });
  app
    .getHttpAdapter()
    .getInstance()
    .get(path, async (request, reply) => {
      const { content, etag } = await made();
      // A browser may keep a copy, but has to revalidate it.
      reply.header('etag', etag).header('cache-control', 'no-cache');
      if (isKnown(etag, request.headers['if-none-match'])) return reply.code(304).send();
      return reply.type(type).send(content);
    });
}

/** Returns a function that makes a value at its first call, and again after a failure. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}
