import type { IncomingMessage } from 'node:http';
import type { ExceptionFilter, Type } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';
import { connectionOf } from './connections.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set if the route takes `application/x-www-form-urlencoded`. A page names the filter that shows its errors. */
    form?: true | Type<ExceptionFilter>;
  }
}

/** The largest request body, in bytes. */
export const BODY_LIMIT = 64 * 1024;

/** How deep JSON may nest; deeper bodies overflow the stack of naive walkers. */
export const DEPTH_LIMIT = 32;

/** Matches JSON by any name: `application/json`, `application/scim+json`, … (RFC 6839, section 3.1). */
const JSON_TYPE = /^application\/(?:[\w!#$&^.+-]+\+)?json(?:$|\s*;)/i;

/**
 * Makes `fastify` read JSON bodies strictly: UTF-8 (RFC 8259, section 8.1), at most {@link BODY_LIMIT} bytes
 * and {@link DEPTH_LIMIT} levels. A body of any other content type is refused as missing JSON. Above all this
 * holds for forms, which browsers send across sites without a CORS preflight. Only a route with
 * `@RouteConfig({ form: … })` takes a form, such as a page whose form carries a token.
 *
 * Size and depth are measured while the bytes arrive, so a hostile body is refused before it is complete.
 */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    JSON_TYPE,
    async (request: FastifyRequest, payload: IncomingMessage) => {
      if (request.is404) return refuseUnread(request, payload);
      const text = await readText(payload, depthGauge(DEPTH_LIMIT));
      if (text === '') return undefined;
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new ApiError('malformed_json');
      }
    },
  );
  fastify.addContentTypeParser(
    'application/x-www-form-urlencoded',
    async (request: FastifyRequest, payload: IncomingMessage) => {
      if (!request.routeOptions.config.form) return refuseUnread(request, payload);
      return Object.fromEntries(new URLSearchParams(await readText(payload)));
    },
  );
  fastify.addContentTypeParser('*', refuseUnread);
}

/**
 * Reads a body whose content type no parser takes.
 *
 * @throws ApiError missing_json, unless the body is empty or there is no route. In the latter case the
 *   address or the method is the error.
 */
async function refuseUnread(request: FastifyRequest, payload: IncomingMessage): Promise<undefined> {
  let size = 0;
  await readChunks(payload, ({ length }) => {
    size += length;
  });
  if (size === 0 || request.is404) return;
  const type = request.headers['content-type'];
  const msg =
    type === undefined
      ? 'The body came without a Content-Type; send Content-Type: application/json'
      : 'Bodies of this type are not read here; send Content-Type: application/json';
  throw new ApiError('missing_json', { errors: [{ path: 'Content-Type', msg }] });
}

/**
 * Reads a JSON body as text.
 *
 * @throws ApiError json_too_deep, body_too_large, client_gone, malformed_json if it is not UTF-8
 */
async function readText(
  payload: IncomingMessage,
  tooDeep: (chunk: Buffer) => boolean = () => false,
): Promise<string> {
  const client = connectionOf(payload.socket);
  let chunks: Buffer[] = [];
  let size = 0;
  try {
    await readChunks(payload, (chunk) => {
      if (tooDeep(chunk)) throw new ApiError('json_too_deep');
      // A chunk takes hundreds of bytes of memory, even if it is small.
      if (chunks.length >= 16) chunks = [Buffer.concat(chunks)];
      chunks.push(chunk);
      size += chunk.length;
      client.keepBody(size);
    });
  } finally {
    client.keepBody(0);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new ApiError('malformed_json');
  }
}

/**
 * Passes the body of any content type to `take` in pieces. If that throws, the connection is closed after the answer,
 * because the unread rest of the body must not be read as the next request.
 *
 * @throws ApiError body_too_large, client_gone
 */
async function readChunks(payload: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  let size = 0;
  try {
    const chunks = payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > BODY_LIMIT) throw new ApiError('body_too_large');
      take(chunk);
    }
  } catch (error) {
    // The client or the server closed the connection before the body was complete.
    if (!(error instanceof ApiError) && !payload.complete) throw new ApiError('client_gone');
    connectionOf(payload.socket).refuseRest(payload);
    throw error;
  }
}

/** Returns a function that takes the chunks of a JSON text and tells when they nest past `limit`. */
function depthGauge(limit: number): (chunk: Uint8Array) => boolean {
  let depth = 0;
  let inString = false;
  let escaped = false;
  return (chunk) => {
    for (const byte of chunk) {
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === 0x5c) escaped = true;
        else if (byte === 0x22) inString = false;
      } else if (byte === 0x22) inString = true;
      else if (byte === 0x5b || byte === 0x7b) {
        if (++depth > limit) return true;
      } else if (byte === 0x5d || byte === 0x7d) depth--;
    }
    return false;
  };
}
