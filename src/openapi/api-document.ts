import { ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import * as swagger from '@nestjs/swagger';
import { tokenScheme } from '../auth/openapi.js';
import { API_ERRORS } from '../common/api-error.js';
import type { Config } from '../config/config.js';
import { describeRoutes } from '../common/api-decorators.js';
import { BEARER, markSecuredRoutes } from './secured-routes.js';

type OpenAPIObject = swagger.OpenAPIObject;

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Parameter = NonNullable<Operation['parameters']>[number];
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** The refusals that all routes of a kind share. */
const COMMON: [status: number, description: string, of: (operation: Operation) => boolean][] = [
  [
    400,
    'The server could not understand the request',
    ({ parameters, requestBody }) =>
      requestBody !== undefined || (parameters ?? []).some((parameter) => !isHeader(parameter)),
  ],
  [401, 'The access token is missing or not valid', ({ security }) => (security ?? []).length > 0],
  [413, 'The body has more than 64 KiB', ({ requestBody }) => requestBody !== undefined],
  [
    414,
    'A part of the path is too long',
    ({ parameters }) =>
      (parameters ?? []).some((parameter) => 'in' in parameter && parameter.in === 'path'),
  ],
];

/** Returns the API of `app` as an OpenAPI document: its own routes and a project's. */
export function documentOf(
  app: NestFastifyApplication,
  { publicUrl, metricsToken, jwt }: Config,
): OpenAPIObject {
  describeRoutes(swagger);
  markSecuredRoutes(app.get(ModulesContainer));
  const about = new swagger.DocumentBuilder()
    .setTitle('Latchkey')
    .setDescription('Registered users, JSON Web Tokens, and a guard for your own controllers')
    .setVersion('0.1.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(publicUrl)
    .addSecurity(BEARER, tokenScheme(jwt))
    .build();
  const document = swagger.SwaggerModule.createDocument(app, about);
  const schemas = (document.components ??= {}).schemas ?? {};
  document.components.schemas = schemas;
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      // An empty list says that a route needs no token.
      operation.security = requirements(operation.security);
      if (path === '/metrics' && metricsToken === undefined) operation.security = [];
      for (const parameter of operation.parameters ?? []) {
        // Nest marks every header that a handler reads as required.
        if (isHeader(parameter)) parameter.required = false;
      }
      // Every DELETE works without a body.
      if (method === 'delete' && operation.requestBody && 'content' in operation.requestBody) {
        operation.requestBody.required = false;
      }
      operation.summary ??= inWords(operation.operationId ?? path);
      describeRefusals(operation, schemas);
    }
  }
  document.paths = hoist(document.paths, schemas) as OpenAPIObject['paths'];
  return document;
}

const isHeader = (parameter: Parameter): parameter is Exclude<Parameter, { $ref: string }> =>
  'in' in parameter && parameter.in === 'header';

/** Returns `CatsController_feedAll` as `feed all`, for a route without a summary. */
const inWords = (name: string): string =>
  name
    .replace(/^.*_/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase();

/** Returns each requirement once: a class and its methods may ask for the same. */
function requirements(security: Operation['security'] = []): Operation['security'] {
  const texts = new Set(security.map((requirement) => JSON.stringify(requirement)));
  return [...texts].map((text) => JSON.parse(text) as Record<string, string[]>);
}

/** Gives every refusal of an operation its body, and adds the common ones. */
function describeRefusals(operation: Operation, schemas: Schemas): void {
  const { responses } = operation;
  for (const [status, description, isMet] of COMMON) {
    if (isMet(operation)) responses[status] ??= { description };
  }
  responses.default ??= { description: 'Any other refusal, or a fault of the server' };
  for (const [status, response] of Object.entries(responses)) {
    if (!response || '$ref' in response || (status !== 'default' && Number(status) < 400)) continue;
    const name = status === 'default' ? 'Error' : `Error${status}`;
    schemas[name] ??= errorSchema(status);
    const shared = { $ref: `#/components/schemas/${name}` };
    const own = response.content?.['application/json']?.schema;
    const schema =
      own && 'title' in own
        ? { title: `${name}Or${own.title ?? ''}`, anyOf: [own, shared] }
        : shared;
    response.content = { 'application/json': { schema } };
    if (status === '429' || status === '503') {
      response.headers = {
        'Retry-After': {
          description: 'Seconds until the request may be sent again',
          schema: { type: 'integer', minimum: 0 },
        },
      };
    }
  }
}

/** Returns the schema of a refusal. Its code is one of those for the status. */
function errorSchema(status: string): Schemas[string] {
  const entries = Object.entries(API_ERRORS);
  const ofStatus = entries.filter(([, [own]]) => String(own) === status);
  const possible = ofStatus.length > 0 ? ofStatus : entries;
  const example = possible[0] && { code: possible[0][0], msg: possible[0][1][1] };
  return {
    type: 'object',
    description: 'Every answer that is not a success. The code is fixed, the sentence may change.',
    required: ['msg', 'code'],
    properties: {
      msg: { type: 'string' },
      code: { type: 'string', enum: possible.map(([name]) => name) },
      errors: {
        type: 'array',
        description: 'The wrong fields, each with a sentence',
        items: {
          type: 'object',
          required: ['path', 'msg'],
          properties: { path: { type: 'string' }, msg: { type: 'string' } },
        },
      },
    },
    example,
  };
}

/** Returns `node` with each titled schema moved to `schemas`, under its title. */
function hoist(node: unknown, schemas: Schemas): unknown {
  if (Array.isArray(node)) return node.map((item) => hoist(item, schemas));
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, hoist(value, schemas)]);
  const { title, ...schema } = Object.fromEntries(entries) as Record<string, unknown>;
  if (typeof title !== 'string') return Object.fromEntries(entries) as unknown;
  schemas[title] = schema;
  return { $ref: `#/components/schemas/${title}` };
}
