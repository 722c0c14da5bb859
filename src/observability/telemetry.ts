import {
  context,
  diag,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AfterQueryEvent } from 'typeorm/subscriber/event/QueryEvent.js';
import { onRequestEnd } from '../common/request-end.js';
import type { Database } from '../database/database.js';

/**
 * Sends traces by OTLP over HTTP. Each request has a span, named by its route pattern, which continues the
 * caller's trace (W3C `traceparent`). Each statement has a span below it. Spans contain no address, header,
 * body, statement or parameter. A project's own spans, by `@opentelemetry/api`, join in. This file is loaded
 * only if a collector is set.
 */
export function startTelemetry(
  fastify: FastifyInstance,
  endpoint: string,
  headers: Record<string, string>,
  database: Database,
): void {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers,
    timeoutMillis: 3_000,
  });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'latchkey' }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const complain = (message: string): void => {
    fastify.log.warn(`telemetry: ${message.slice(0, 300)}`);
  };
  const silent = (): void => undefined;
  diag.setLogger({ error: complain, warn: complain, info: silent, debug: silent, verbose: silent });
  provider.register();
  traceRequests(fastify);
  database.observe(traceStatement);
  fastify.addHook('onClose', async () => {
    await provider.shutdown().catch(silent);
    for (const api of [trace, context, propagation, diag]) api.disable();
  });
}

const tracer = () => trace.getTracer('latchkey');

function traceRequests(fastify: FastifyInstance): void {
  const spans = new WeakMap<FastifyRequest, Span>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { traceparent, tracestate } = request.headers;
    const caller = propagation.extract(ROOT_CONTEXT, { traceparent, tracestate });
    const route = request.routeOptions.url;
    const span = tracer().startSpan(
      route === undefined ? request.method : `${request.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': request.method,
          ...(route !== undefined && { 'http.route': route }),
        },
      },
      caller,
    );
    spans.set(request, span);
    context.with(trace.setSpan(caller, span), done);
  });
  onRequestEnd(fastify, (request, { status }) => {
    const span = spans.get(request);
    span?.setAttribute('http.response.status_code', status);
    if (status >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  });
}

/** Adds a span for a finished statement, if a request ran it. */
function traceStatement(event: AfterQueryEvent<unknown>): void {
  const { query, success, executionTime = 0, connection } = event;
  if (!trace.getActiveSpan()) return;
  const operation = operationOf(query);
  const end = Date.now();
  const span = tracer().startSpan(operation, {
    kind: SpanKind.CLIENT,
    startTime: end - executionTime,
    attributes: {
      'db.system.name': connection.options.type === 'postgres' ? 'postgresql' : 'sqlite',
      'db.operation.name': operation,
    },
  });
  if (!success) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(end);
}

/**
 * Returns the operation of a statement, such as `INSERT`. For a statement that begins with `WITH`, it is the
 * main one.
 */
function operationOf(query: string): string {
  const first = /^[A-Z]+/.exec(query)?.[0] ?? 'OTHER';
  if (first !== 'WITH') return first;
  return /\b(?:INSERT(?= INTO)|UPDATE(?= \w+ SET)|DELETE(?= FROM))/.exec(query)?.[0] ?? 'SELECT';
}
