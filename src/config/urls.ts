import { isIP } from 'node:net';

/**
 * Returns why a URL with credentials differs from its writer's intention. Words after `?` that are not
 * `known` would have no effect. An `@` in a password would turn the rest of the password into a host. The
 * sentence shows no value.
 */
export function urlFault(url: string, known: readonly string[] = []): string | undefined {
  const [, rest = ''] = url.split(/:\/\/(.*)/s);
  const [authority = ''] = rest.split(/[/?#]/, 1);
  if (rest.includes('#') || rest.split('@').length > 2 || rest.includes('@', authority.length)) {
    return 'write @ as %40, / as %2F, ? as %3F and # as %23 in a user name or password';
  }
  const [, query = ''] = rest.split(/\?(.*)/s);
  const words = [...new URLSearchParams(query).keys()];
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    // Anything but a word may be part of a password, so the message does not show it.
    const name = /^\w{1,40}$/.test(unknown) ? unknown : 'the text after ?';
    return `${name} is not supported${known.length > 0 ? `; known are ${known.join(', ')}` : ''}`;
  }
  const twice = words.find((word, index) => words.indexOf(word) < index);
  return twice && `${twice} is given twice`;
}

/**
 * Returns whether `text` is an exact origin such as `https://app.example.com`. Browsers never send an origin
 * with a wildcard, or with a sign that a host name cannot contain.
 */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text) || !/^https?:/.test(text)) return false;
  const { origin, hostname } = new URL(text);
  return origin === text && isHostname(hostname);
}

/** Returns whether `text` is an http address without credentials, query or fragment. */
export function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text) || !/^https?:\/\/[^?#@\s\\]+$/.test(text)) return false;
  return hasPlainHost(text);
}

/** Returns whether the parser reads the host of a URL as it is written: `http://1` means http://0.0.0.1. */
export function hasPlainHost(url: string): boolean {
  const { hostname } = new URL(url);
  return isHostname(hostname) && (isIP(hostname) === 0 || url.includes(hostname));
}

/** Returns whether `host`, as in a URL, is an address, or a name whose last part is not a number. */
export function isHostname(host: string): boolean {
  const address = /^\[(.+)\]$/.exec(host)?.[1] ?? host;
  return isIP(address) !== 0 || /^([\w-]+\.)*(?!\d+\.?$|0x[\da-f]*\.?$)[\w-]+\.?$/i.test(host);
}
