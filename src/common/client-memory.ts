import type { Socket } from 'node:net';

/**
 * The bytes that this process keeps for all its clients together: unread answers, incomplete bodies, and
 * pipelined requests that wait for their turn.
 */
export const CLIENT_MEMORY = 64 * 1024 * 1024;

/**
 * Bounds the memory that a process keeps for its clients. Beyond the bound it closes connections, first the
 * one that has gone the longest without progress. A client that reads its answers is never among the first.
 */
export class ClientMemory {
  /** Ordered from the connection that has waited the longest for its client to the one that just moved. */
  private readonly held = new Map<Socket, { bytes: number; weigh: () => number }>();
  private total = 0;

  constructor(private readonly limit: number) {}

  /** The number of kept bytes. */
  get bytes(): number {
    return this.total;
  }

  /**
   * Records that the server keeps `bytes` for `socket`. `moved` says that the client has just read or sent
   * bytes. `weigh` measures the bytes again before the connection is closed for them.
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

/** One for the whole process, which has one memory for all its servers. */
export const clientMemory = new ClientMemory(CLIENT_MEMORY);
