import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';

/** Passes Nest's own messages to Fastify's pino logger, so the log has one format. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  // Nest's start-up report, one line for each route and module, is a detail here.
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const context = rest.at(-1);
    const chatter = /^(InstanceLoader|RouterExplorer|RoutesResolver|NestFactory)$/;
    const quiet = level === 'info' && typeof context === 'string' && chatter.test(context);
    const fields = { ...(typeof context === 'string' && { context }) };
    if (message instanceof Error) this.pino[level]({ ...fields, err: message }, message.message);
    else this.pino[quiet ? 'debug' : level](fields, String(message));
  }
}

/** An error in the log. */
export interface ErrorFields extends Record<string, unknown> {
  type: string;
  message: string;
  stack: string;
}

/**
 * Returns the fields by which the log shows an error: its kind, message, stack and causes, and the statement
 * of a failed query. The statement's parameters, which may be hashes and addresses, are left out.
 */
export function describeError(error: unknown): ErrorFields {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: 'not an Error', stack: '' };
  }
  const { name, message, stack = '', cause } = error;
  const { code, query } = error as { code?: unknown; query?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(typeof query === 'string' && { query }),
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}
