import autocannon from 'autocannon';
import type { Child } from './child.js';
import { settle } from './client.js';
import { USER } from './stage.js';

/**
 * Lets `clients` clients log in without pause: each sends its next login after any answer to the last one.
 * Returns a function that ends this, and waits until the server has no login left to answer.
 */
export function startLogins(
  server: Child,
  clients: number,
  onAnswer: (status: number) => void,
): () => Promise<void> {
  let instance: autocannon.Instance | undefined;
  const over = new Promise<void>((resolve, reject) => {
    instance = autocannon(
      {
        url: `${server.url}/login`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(USER),
        connections: clients,
        // Longer than any part.
        duration: 3_600,
        timeout: 300,
      },
      (error: unknown) => {
        if (error instanceof Error) reject(error);
        else resolve();
      },
    );
    instance.on('response', (_client, status) => {
      onAnswer(status);
    });
  });
  return async () => {
    instance?.stop();
    await over;
    await settle(server);
  };
}
