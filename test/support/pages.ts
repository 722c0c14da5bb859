/** A page as a browser shows it, after all redirects. */
export interface ShownPage {
  status: number;
  /** The path and the query that led to it. */
  path: string;
  headers: Headers;
  text: string;
}

/** A browser without scripts. It keeps cookies, follows redirects, and sends forms as browsers do. */
export type PageBrowser = ReturnType<typeof browser>;

/** Returns a browser, with no cookies yet or with those of another one. */
export function browser(
  { url }: { url: string },
  headers: Record<string, string> = {},
  before: Iterable<[string, string]> = [],
) {
  const cookies = new Map(before);
  let shown: ShownPage | undefined;

  const cookieHeader = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

  /** Sends one request, and keeps the cookies of the answer. */
  async function send(method: string, path: string, more: RequestInit = {}): Promise<Response> {
    const cookie = cookieHeader();
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      ...more,
      headers: { ...(cookie && { cookie }), ...headers, ...(more.headers as object) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/; max-age=0\b/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }

  /** Follows redirects, and shows the page that they lead to. A 307 sends the same form again. */
  async function show(path: string, answer: Response, form?: RequestInit): Promise<ShownPage> {
    const location = answer.headers.get('location');
    if (location !== null && (answer.status === 303 || answer.status === 307)) {
      await answer.body?.cancel();
      const again = answer.status === 307 ? form : undefined;
      return show(location, await send(again ? 'POST' : 'GET', location, again), again);
    }
    const { status, headers: received } = answer;
    shown = { status, path, headers: received, text: await answer.text() };
    return shown;
  }

  return {
    /** The cookies by their names. */
    cookies,

    /** Returns the header that sends them. */
    cookieHeader,

    /** Opens a page. */
    get: async (path: string) => show(path, await send('GET', path)),

    /** Sends a form from a page of the server. `more` replaces its headers. */
    post: async (
      path: string,
      fields: Record<string, string>,
      more: Record<string, string> = { 'sec-fetch-site': 'same-origin' },
    ) => {
      const form = { body: new URLSearchParams(fields), headers: more };
      return show(path, await send('POST', path, form), form);
    },

    /** Returns the hidden fields of the page that is shown. */
    fields: (): Record<string, string> => hiddenFields(shown?.text ?? ''),

    /** Signs in by a password. Resolves to the page that follows. */
    async signIn(username: string, password: string, more: Record<string, string> = {}) {
      await this.get('/sign-in');
      return this.post('/sign-in', { ...this.fields(), username, password, ...more });
    },
  };
}

/** Returns the hidden fields of a document. The first one of a name counts. */
function hiddenFields(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  return Object.fromEntries(
    inputs.reverse().map(([, name = '', value = '']) => [name, unescaped(value)]),
  );
}

/** Returns a text of a document without the escapes of HTML and without tags. */
export const textOf = (html: string): string =>
  unescaped(html.replaceAll(/<style.*?<\/style>|<[^>]*>/gs, ' ')).replaceAll(/\s+/g, ' ');

/** Returns the name of the user that a browser is signed in as; undefined if it is not. */
export async function stateOf(visitor: PageBrowser): Promise<string | undefined> {
  const { text } = await visitor.get('/sign-in');
  return /You are signed in already as (\S+)\./.exec(textOf(text))?.[1];
}

const ESCAPES: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };

const unescaped = (text: string): string =>
  text.replaceAll(/&(\w+|#\d+);/g, (whole, name: string) => ESCAPES[name] ?? whole);
