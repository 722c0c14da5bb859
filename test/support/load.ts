import { bearer, send } from './http.js';
import { GOOD_PASSWORD, type Server } from './server.js';
import { until } from './wait.js';

/** What a server answered {@link underLoad}. */
export interface Answer {
  what: string;
  status: number;
  code: string | undefined;
  retryAfter: string | null;
  ms: number;
}

/** What a test does meanwhile: `answered` resolves when `count` more requests have that status. */
type Work = (answered: (status: number, count: number) => Promise<void>) => Promise<void>;

/**
 * Clients that register, log in, refresh and show their token, over and over, while `work` runs, each
 * request to the next of equal `servers`. Gives what they were answered, and the names whose registration
 * was acknowledged.
 */
export async function underLoad(servers: readonly Server[], clients: number, work: Work) {
  const [first] = servers;
  if (!first) throw new Error('no server');
  let turns = 0;
  const answers: Answer[] = [];
  const acknowledged: string[] = [];
  let running = true;
  let next = 0;

  const ask = async (
    what: string,
    ...more: [method: string, body?: object, headers?: { authorization: string }]
  ) => {
    const { url } = servers[turns++ % servers.length] ?? first;
    const began = performance.now();
    const response = await send(`${url}/${what}`, ...more);
    const body = (await response.json()) as { code?: string; refresh_token?: string };
    answers.push({
      what,
      status: response.status,
      code: body.code,
      retryAfter: response.headers.get('retry-after'),
      ms: performance.now() - began,
    });
    return { ok: response.ok, body };
  };
  const post = (what: string, body: object) => ask(what, 'POST', body);

  const client = async (username: string, tokens: { jwt: string; refresh_token: string }) => {
    const { jwt } = tokens;
    let { refresh_token } = tokens;
    while (running) {
      const name = `load${next++}`;
      const { ok } = await post('register', { username: name, password: GOOD_PASSWORD });
      if (ok) acknowledged.push(name);
      await ask('protected', 'GET', undefined, { authorization: bearer(jwt) });
      await post('login', { username, password: GOOD_PASSWORD });
      // Where the answer was lost, the same token is good once more.
      const refreshed = await post('refresh', { refresh_token });
      refresh_token = refreshed.body.refresh_token ?? refresh_token;
    }
  };
  const names = Array.from({ length: clients }, (_, i) => `client${i}`);
  for (const name of names) await first.register(name).catch(() => undefined);
  // All are signed in before anything breaks.
  const signedIn = await Promise.all(names.map((name) => first.login(name)));
  const done = Promise.all(signedIn.map((tokens, i) => client(`client${i}`, tokens)));
  // Told at the end.
  done.catch(() => undefined);
  try {
    await work(async (status, count) => {
      const from = answers.length;
      await until(
        () => answers.slice(from).filter((answer) => answer.status === status).length >= count,
        `${count} answers with ${status}`,
      );
    });
  } finally {
    running = false;
    await done;
  }
  return { answers, acknowledged };
}
