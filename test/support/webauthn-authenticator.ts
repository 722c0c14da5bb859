import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** The flags of authenticator data (WebAuthn, section 6.1). */
export const FLAGS = { userPresent: 1, userVerified: 4, backupEligible: 8, backedUp: 16 };
const ATTESTED = 64;

/** The parts of options that an authenticator looks at. */
export interface Options {
  challenge: string;
  rpId?: string;
  rp?: { id: string };
  user?: { id: string };
}

/** What an answer has other than a good one. */
export interface Changes {
  origin?: string;
  rpId?: string;
  flags?: number;
  count?: number;
  userHandle?: string | null;
  /** Members of the client data. */
  clientData?: Record<string, unknown>;
  /** The attestation object after its `authData`, and its format. */
  attestation?: { fmt: string; attStmt: Buffer };
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();
const base64url = (data: Buffer) => data.toString('base64url');
/** A text in CBOR, of up to 23 bytes. */
const text = (value: string) => Buffer.from([0x60 + value.length, ...Buffer.from(value)]);

/**
 * An authenticator with one passkey (ES256), which also gives the answers that no browser and no other
 * authenticator would give.
 */
export class Authenticator {
  readonly id = randomBytes(32);
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private handle = '';
  count = 0;

  constructor(
    private readonly origin: string,
    readonly flags = FLAGS.userPresent | FLAGS.userVerified,
  ) {}

  /** Answers creation options. */
  create({ challenge, rp, user }: Options, changes: Changes = {}) {
    this.handle = user?.id ?? '';
    const credential = Buffer.concat([
      Buffer.alloc(16),
      Buffer.from([0, 32]),
      this.id,
      this.cose(),
    ]);
    const data = this.data(rp?.id ?? '', credential, changes);
    const { fmt, attStmt } = changes.attestation ?? { fmt: 'none', attStmt: Buffer.from([0xa0]) };
    const length = Buffer.from([0x59, data.length >> 8, data.length & 255]);
    const attestationObject = Buffer.concat([
      ...[Buffer.from([0xa3]), text('fmt'), text(fmt), text('attStmt'), attStmt],
      ...[text('authData'), length, data],
    ]);
    return {
      ...this.named(),
      response: {
        clientDataJSON: this.clientData('webauthn.create', challenge, changes),
        attestationObject: base64url(attestationObject),
        transports: ['internal', 'a-new-one'],
      },
    };
  }

  /** Answers request options, with a counter that has risen by one. */
  get({ challenge, rpId = '' }: Options, changes: Changes = {}) {
    this.count = changes.count ?? this.count + 1;
    const data = this.data(rpId, Buffer.alloc(0), { count: this.count, ...changes });
    const clientDataJSON = this.clientData('webauthn.get', challenge, changes);
    const signed = Buffer.concat([data, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
    const { userHandle = this.handle } = changes;
    return {
      ...this.named(),
      response: {
        clientDataJSON,
        authenticatorData: base64url(data),
        signature: base64url(sign('sha256', signed, this.keys.privateKey)),
        userHandle,
      },
    };
  }

  private named() {
    const id = base64url(this.id);
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {} };
  }

  private clientData(type: string, challenge: string, { origin, clientData }: Changes): string {
    const data = { type, challenge, origin: origin ?? this.origin, crossOrigin: false };
    return base64url(Buffer.from(JSON.stringify({ ...data, ...clientData })));
  }

  private data(rpId: string, credential: Buffer, changes: Changes): Buffer {
    const flags = (changes.flags ?? this.flags) | (credential.length > 0 ? ATTESTED : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(changes.count ?? 0);
    return Buffer.concat([sha256(changes.rpId ?? rpId), Buffer.from([flags]), count, credential]);
  }

  /** The public key as a COSE_Key. */
  private cose(): Buffer {
    const { x = '', y = '' } = this.keys.publicKey.export({ format: 'jwk' });
    const [head, between] = ['a5010203262001215820', '225820'];
    const parts = [head, Buffer.from(x, 'base64url').toString('hex'), between];
    return Buffer.from([...parts, Buffer.from(y, 'base64url').toString('hex')].join(''), 'hex');
  }
}
