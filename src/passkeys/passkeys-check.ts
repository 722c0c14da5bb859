import { isIP } from 'node:net';
import { type EntityManager, In, Not } from 'typeorm';
import { fail, type Finding, warn } from '../common/finding.js';
import type { Config } from '../config/config.js';
import { Passkey } from './passkey.entity.js';
import { rpIdOf } from './relying-party.js';

/** Checks that the stored passkeys are for the domain of the settings, for `npx latchkey doctor`. */
export async function checkPasskeys(manager: EntityManager, config: Config): Promise<Finding[]> {
  const check = 'passkeys';
  const rpId = rpIdOf(config);
  const others = await manager
    .createQueryBuilder(Passkey, 'passkey')
    .select('DISTINCT passkey.rpId', 'rpId')
    .where({ rpId: Not(rpId) })
    .orderBy('1')
    .getRawMany<{ rpId: string }>();
  const names = others.map((other) => other.rpId);
  if (names.length > 0) {
    const count = await manager.countBy(Passkey, { rpId: In(names) });
    const message = `${count} are for ${names.join(', ')}, and do not work for ${rpId}`;
    return [fail(check, message, `set WEBAUTHN_RP_ID=${names[0] ?? ''}, and WEBAUTHN_ORIGINS`)];
  }
  if (isIP(rpId.replace(/^\[(.+)\]$/, '$1')) !== 0) {
    const message = `browsers make none for the address ${rpId}`;
    return [warn(check, message, 'set PUBLIC_URL to a name, such as http://localhost:3000')];
  }
  return [];
}
