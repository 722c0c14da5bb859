import { ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { dump } from 'js-yaml';
import { etagOf, isKnown } from '../common/etag.js';
import type { Config } from '../config/config.js';
import { documentOf } from './api-document.js';
import { markSecuredRoutes } from './secured-routes.js';

/**
 * Serves the OpenAPI document as JSON, as YAML and as a page. Each text is made once, when it is first
 * asked for: making them for each request would take 9 ms of the one thread that answers everybody.
 */
export function serveDocs(app: NestFastifyApplication, config: Config): void {
  if (!config.docs) return;
  markSecuredRoutes(app.get(ModulesContainer));
  const document = once(() => documentOf(app, config));
  serveText(app, '/openapi.json', 'application/json; charset=utf-8', () =>
    JSON.stringify(document()),
  );
  serveText(app, '/openapi.yaml', 'application/yaml; charset=utf-8', () =>
    dump(document(), { skipInvalid: true, noRefs: true }),
  );
  SwaggerModule.setup('docs', app, (): OpenAPIObject => document(), {
    raw: false,
    customSiteTitle: 'Latchkey API',
    // A reload keeps the token that was entered.
    swaggerOptions: { persistAuthorization: true },
  });
}

function serveText(
  app: NestFastifyApplication,
  path: string,
  type: string,
  make: () => string,
): void {
  const text = once(() => {
    const content = Buffer.from(make());
    return { content, etag: etagOf(content) };
  });
  app
    .getHttpAdapter()
    .getInstance()
    .get(path, (request, reply) => {
      const { content, etag } = text();
      // A copy may be kept, but has to be asked about.
      reply.header('etag', etag).header('cache-control', 'no-cache');
      if (isKnown(etag, request.headers['if-none-match'])) return reply.code(304).send();
      return reply.type(type).send(content);
    });
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
