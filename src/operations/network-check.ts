import { isLoopback, isLoopbackHost } from '../common/network.js';
import type { Config } from '../config/config.js';
import { otherSitesWarning } from '../config/sites.js';
import { fail, type Finding, ok, warn } from '../common/finding.js';

/** Checks the proxies, the public address and the origins for settings that contradict each other. */
export function checkNetwork(config: Config): Finding[] {
  return [...checkProxies(config), ...checkMode(config), ...checkOrigins(config)];
}

function checkProxies({ trustProxy, host, production }: Config): Finding[] {
  const check = 'proxies';
  const local = isLoopbackHost(host);
  if (trustProxy === false) {
    if (!production) return [ok(check, 'no proxy is trusted')];
    if (local) {
      const message = `only a proxy on this machine can reach ${host}, and no proxy is trusted`;
      const advice = 'set TRUST_PROXY=1, or all clients count as one';
      return [fail(check, message, advice)];
    }
    const message =
      'no proxy is trusted: if one stands before the server, all clients count as one';
    return [warn(check, message, 'set TRUST_PROXY to the proxy that ends TLS')];
  }
  if (Array.isArray(trustProxy)) {
    const reachesHere = (network: string) => isLoopback(network.replace(/\/.*/, ''));
    if (local && !trustProxy.some(reachesHere)) {
      const message = `a proxy reaches ${host} from this machine, but TRUST_PROXY names other addresses`;
      return [fail(check, message, 'add 127.0.0.1 and ::1')];
    }
    return [ok(check, trustProxy.join(', '))];
  }
  if (local) return [ok(check, `${trustProxy} trusted, before ${host}`)];
  const message = `${trustProxy} trusted, but clients may reach ${host} directly`;
  const advice = 'let only the proxy reach the port, or set TRUST_PROXY to its address';
  return [warn(check, message, advice)];
}

function checkMode({ production, host }: Config): Finding[] {
  const check = 'mode';
  if (production) return [ok(check, 'production')];
  if (isLoopbackHost(host)) return [ok(check, `development, on ${host} alone`)];
  const message = `other machines reach ${host}, and NODE_ENV is not production`;
  return [warn(check, message, 'set NODE_ENV=production')];
}

function checkOrigins(config: Config): Finding[] {
  const check = 'origins';
  const { production, corsOrigins } = config;
  const plain = corsOrigins.filter((origin) => origin.startsWith('http:'));
  if (production && plain.length > 0) {
    const message = `pages without TLS may call the API: ${plain.join(', ')}`;
    return [
      fail(
        check,
        message,
        'use https:// origins: an attacker on the network can change pages without TLS',
      ),
    ];
  }
  const warning = otherSitesWarning(config);
  if (warning)
    return [warn(check, warning, 'use one host for both, such as localhost, or one domain')];
  return [
    ok(
      check,
      corsOrigins.length > 0 ? corsOrigins.join(', ') : 'no origin is allowed: CORS is off',
    ),
  ];
}
