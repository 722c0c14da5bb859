import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { requestOf } from './request-of.js';

/** The signal of each connection, shared by its requests. */
const signals = new WeakMap<Socket, AbortSignal>();

/**
 * Injects an `AbortSignal` that fires when the client's connection closes, so that a handler can stop its
 * work.
 */
export const ClientSignal = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AbortSignal =>
    signalOf(requestOf(context).raw.socket),
);

function signalOf(socket: Socket): AbortSignal {
  const known = signals.get(socket);
  if (known) return known;
  const controller = new AbortController();
  const { signal } = controller;
  // A client may pipeline any number of requests.
  setMaxListeners(0, signal);
  const abort = (): void => {
    controller.abort();
  };
  if (socket.destroyed) abort();
  else socket.once('close', abort);
  signals.set(socket, signal);
  return signal;
}
