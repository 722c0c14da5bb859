import { isLoopback, isLoopbackHost } from '../common/network.js';
import type { Config } from '../config/config.js';
import { otherSitesWarning } from '../config/sites.js';
import { fail, type Finding, ok, warn } from './finding.js';

/** Checks the proxies, the public address and the origins for settings that contradict each other. */
export function checkNetwork(config: Config): Finding[] {
  return [...checkProxies(config), ...checkMode(config), ...checkOrigins(config)];
}

function checkProxies({ trustProxy, host, production }: Config): Finding[] {
  const check = 'proxies';
  const local = isLoopbackHost(host);
  if (trustProxy === false) {
    if (!production) return [ok(check, 'none is trusted')];
    if (local) {
      const message = `only this machine reaches ${host}, so a proxy stands here, and is not trusted`;
      const advice = 'set TRUST_PROXY=1: else all clients count as one';
      return [fail(check, message, advice)];
    }
    const message = 'none is trusted: where one stands before it, all clients count as one';
    return [warn(check, message, 'something has to end TLS before it: set TRUST_PROXY to that')];
  }
  if (Array.isArray(trustProxy)) {
    const reachesHere = (network: string) => isLoopback(network.replace(/\/.*/, ''));
    if (local && !trustProxy.some(reachesHere)) {
      const message = `a proxy reaches ${host} from this machine, and TRUST_PROXY names others`;
      return [fail(check, message, 'add 127.0.0.1 and ::1')];
    }
    return [ok(check, trustProxy.join(', '))];
  }
  if (local) return [ok(check, `${trustProxy} before ${host}`)];
  const message = `${trustProxy} is counted on, and ${host} may be reached past it`;
  const advice = 'let nothing but the proxy reach the port, or name its address instead';
  return [warn(check, message, advice)];
}

function checkMode({ production, host }: Config): Finding[] {
  const check = 'mode';
  if (production) return [ok(check, 'production')];
  if (isLoopbackHost(host)) return [ok(check, `development, on ${host} alone`)];
  const message = `not production, and other machines reach ${host}`;
  return [warn(check, message, 'set NODE_ENV=production')];
}

function checkOrigins(config: Config): Finding[] {
  const check = 'origins';
  const { production, corsOrigins } = config;
  const plain = corsOrigins.filter((origin) => origin.startsWith('http:'));
  if (production && plain.length > 0) {
    const message = `pages without TLS may call: ${plain.join(', ')}`;
    return [fail(check, message, 'whoever is on the way can change them: name https:// origins')];
  }
  const warning = otherSitesWarning(config);
  if (warning)
    return [warn(check, warning, 'name both by one host, such as localhost, or one domain')];
  return [ok(check, corsOrigins.length > 0 ? corsOrigins.join(', ') : 'none, CORS is off')];
}
