import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes `application/x-www-form-urlencoded`. */
    form?: boolean;
  }
}

/** The largest request body, in bytes. */
export const BODY_LIMIT = 64 * 1024;

/** How deep JSON may nest; deeper bodies overflow the stack of naive walkers. */
export const DEPTH_LIMIT = 32;

/**
 * Makes `fastify` read JSON bodies strictly: UTF-8 (RFC 8259, section 8.1), at most
 * {@link BODY_LIMIT} bytes and {@link DEPTH_LIMIT} levels. Any other content type, a form above all
 * (it needs no CORS preflight), counts as no body: the route answers that JSON is missing. Only routes
 * that say so (`@RouteConfig({ form: true })`) take a form: pages whose forms carry a token themselves.
 *
 * Depth is measured while the bytes arrive, so a hostile body is refused before it is complete.
 */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    async (_request: FastifyRequest, payload: IncomingMessage) => {
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
      if (request.routeOptions.config.form === true) {
        return Object.fromEntries(new URLSearchParams(await readText(payload)));
      }
      payload.resume();
      return undefined;
    },
  );
  fastify.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null, undefined);
  });
}

/** @throws ApiError json_too_deep, body_too_large, malformed_json where it is not UTF-8 */
async function readText(
  payload: IncomingMessage,
  tooDeep: (chunk: Buffer) => boolean = () => false,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of payload as AsyncIterable<Buffer>) {
    if (tooDeep(chunk)) throw new ApiError('json_too_deep');
    size += chunk.length;
    if (size > BODY_LIMIT) throw new ApiError('body_too_large');
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new ApiError('malformed_json');
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
