import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { isAppOrigin, PASSKEY_SETTINGS } from './passkeys.settings.js';

/** Returns the domain that passkeys are for, by the settings. */
export const rpIdOf = (config: Config): string =>
  config.of(PASSKEY_SETTINGS).WEBAUTHN_RP_ID ?? new URL(config.publicUrl).hostname;

/** This server as the relying party of passkeys (WebAuthn, section 4). */
@Injectable()
export class RelyingParty {
  readonly id: string;
  /** The name that authenticators show. */
  readonly name: string;
  /** The origins whose answers are accepted. */
  readonly origins: string[];
  /** The origins for `/.well-known/webauthn`; empty without the setting. */
  readonly relatedOrigins: string[];

  constructor(config: Config) {
    const { origin, host } = new URL(config.publicUrl);
    const { WEBAUTHN_ORIGINS: further } = config.of(PASSKEY_SETTINGS);
    this.id = rpIdOf(config);
    this.name = config.mail.from.name || host;
    this.origins = [...new Set([origin, ...further])];
    const isRelated = further.length > 0;
    this.relatedOrigins = isRelated ? this.origins.filter((one) => !isAppOrigin(one)) : [];
  }
}
