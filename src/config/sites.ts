import { isIP } from 'node:net';
import type { Config } from './config.js';

/**
 * The origins of `CORS_ORIGINS` from whose pages no browser sends the refresh cookie: they are of another
 * site than this server. Empty without cookies, with `SameSite=None`, or if the server's address is not
 * known.
 *
 * A site is a scheme and a registrable domain. Without the list of public suffixes the last two labels
 * stand for that, so origins under one suffix such as `co.uk` are missed.
 */
export function originsOfOtherSites({
  authCookies,
  cookie,
  corsOrigins,
  production,
  publicUrl,
}: Config): string[] {
  // Production has the default alone with http: there PUBLIC_URL is not set.
  if (!authCookies || cookie.sameSite === 'none' || (production && publicUrl.startsWith('http:')))
    return [];
  const own = siteOf(publicUrl);
  return corsOrigins.filter((origin) => siteOf(origin) !== own);
}

function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url);
  const isAddress = isIP(hostname.replace(/^\[(.+)\]$/, '$1')) !== 0;
  return `${protocol}//${isAddress ? hostname : hostname.split('.').slice(-2).join('.')}`;
}

/** Returns a sentence about {@link originsOfOtherSites}; undefined if the list is empty. */
export function otherSitesWarning(config: Config): string | undefined {
  const origins = originsOfOtherSites(config);
  if (origins.length === 0) return undefined;
  return (
    `browsers keep the refresh cookie from ${origins.join(', ')} (CORS_ORIGINS): ` +
    `that is another site than ${config.publicUrl} (PUBLIC_URL)`
  );
}
