/** Providers that deliver the mail of all these domains to one mailbox, under the first name. */
const SAME_DOMAIN: Record<string, string> = {
  'googlemail.com': 'gmail.com',
  'me.com': 'icloud.com',
  'mac.com': 'icloud.com',
  'protonmail.com': 'proton.me',
  'protonmail.ch': 'proton.me',
  'pm.me': 'proton.me',
  'ya.ru': 'yandex.ru',
  'yandex.com': 'yandex.ru',
  'yandex.by': 'yandex.ru',
  'yandex.kz': 'yandex.ru',
  'yandex.ua': 'yandex.ru',
};

/** Characters that a provider ignores in the local part. */
const IGNORED: Record<string, RegExp> = {
  'gmail.com': /\./g,
  'proton.me': /[._-]/g,
};

/** Characters that a provider treats as equal. All become the first. */
const ALIKE: Record<string, RegExp> = {
  'yandex.ru': /[-.]/g,
};

/** Yahoo's disposable addresses put a word after a hyphen. */
const HYPHENATED = /^(?:yahoo|ymail|rocketmail)\.[a-z.]+$/;

/** Fastmail delivers all mail for `user.fastmail.com` to `user`. */
const SUBDOMAIN = /^([^.]+)\.(fastmail\.(?:com|fm))$/;

/**
 * Returns the key of the mailbox behind an address, for limits on mail. Many addresses lead to one mailbox:
 * `ada+1@…` by the usual sub-addressing (RFC 5233), and others by the rules of large providers. If a server
 * has no sub-addressing, two mailboxes may share a key. So the key is for limits only, and never decides
 * which user holds an address.
 *
 * @param emailKey the unique form of an address, see `prepareEmail`
 */
export function mailboxKey(emailKey: string): string {
  const at = emailKey.lastIndexOf('@');
  const typed = emailKey.slice(at + 1);
  const [, user, provider] = SUBDOMAIN.exec(typed) ?? [];
  if (user !== undefined && provider !== undefined) return `${user}@${provider}`;
  const domain = SAME_DOMAIN[typed] ?? typed;
  // Servers that know compatible letters, such as full-width ones, treat them as equal.
  const local = emailKey.slice(0, at).normalize('NFKC').toLowerCase();
  const separator = HYPHENATED.test(domain) ? /^(.[^+-]*)[+-].*$/s : /^(.[^+]*)\+.*$/s;
  const base = local.replace(separator, '$1');
  const ignored = IGNORED[domain];
  const alike = ALIKE[domain];
  const plain = ignored ? base.replace(ignored, '') : alike ? base.replace(alike, '.') : base;
  return `${plain === '' ? base : plain}@${domain}`;
}
