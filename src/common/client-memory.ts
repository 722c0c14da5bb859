import type { Socket } from 'node:net';

/**
 * How many bytes this process keeps for its clients together: answers that they have not read, bodies
 * that have not arrived in full, and pipelined requests that wait for their turn.
 */
export const CLIENT_MEMORY = 64 * 1024 * 1024;

/**
 * Bounds what a process keeps for its clients. Past the bound it closes connections: first the one that
 * has gone the longest without progress. A client that reads its answers is never among the first.
 */
export class ClientMemory {
  /** From the connection that has waited the longest for its client, to the one that just moved. */
  private readonly held = new Map<Socket, { bytes: number; weigh: () => number }>();
  private total = 0;

  constructor(private readonly limit: number) {}

  /** How many bytes are kept. */
  get bytes(): number {
    return this.total;
  }

  /**
   * Says that `socket` makes the server keep `bytes`. With `moved`, the client has just read or sent
   * something. `weigh` measures the bytes once more, before the connection is closed for them.
   */
  hold(socket: Socket, bytes: number, weigh: () => number, moved: boolean): void {
    const known = this.held.get(socket);
    this.total += bytes - (known?.bytes ?? 0);
    if (bytes === 0 || moved) this.held.delete(socket);
    if (bytes === 0) return;
    if (known && !moved) known.bytes = bytes;
    else this.held.set(socket, { bytes, weigh });
    if (this.total > this.limit) this.makeRoom();
  }

  private makeRoom(): void {
    for (const [socket, { bytes, weigh }] of this.held) {
      const left = socket.destroyed ? 0 : weigh();
      this.held.delete(socket);
      this.total -= bytes;
      if (left > 0) socket.destroy();
      if (this.total <= this.limit) return;
    }
  }
}

/** Of the whole process, which has one memory for all its servers. */
export const clientMemory = new ClientMemory(CLIENT_MEMORY);
