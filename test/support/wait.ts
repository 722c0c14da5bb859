import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** What {@link until} goes on asking for. */
type None = undefined | null | false;

/** Asks every 20 ms until there is something, and returns it. Fails after 100 s. */
export async function until<T>(look: () => Promise<T | None> | T | None, what: string): Promise<T> {
  for (const end = Date.now() + 100_000; Date.now() < end;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    await setTimeout(20);
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Checks every 50 ms until `check` passes. After 15 s its last failure is the result. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (const end = Date.now() + 15_000; ;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await setTimeout(50);
    }
  }
}

/** Resolves when a program accepts connections on a port of this machine. */
export async function accepts(port: number): Promise<void> {
  await until(async () => {
    const socket = connect(port, '127.0.0.1');
    return once(socket, 'connect')
      .then(
        () => true,
        () => false,
      )
      .finally(() => socket.destroy());
  }, `a program on port ${port}`);
}
