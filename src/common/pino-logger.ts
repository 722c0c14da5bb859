import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';

/** Lets Nest's own messages go through Fastify's pino logger, so that the log is of one piece. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  // Nest's start-up report (one line a route and module) is detail here.
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
 * What the log shows of an error: its kind, message, stack and causes, and the statement of a failed
 * query, but never the statement's parameters, which may be hashes and addresses.
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
