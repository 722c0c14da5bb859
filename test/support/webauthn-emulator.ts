import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import emulator from 'nid-webauthn-emulator';

/** Part of the encoder of `cbor`, the package that the emulator encodes with. */
interface Encoder extends Readable {
  pushAny(value: unknown): boolean;
  end(): void;
}

const require = createRequire(import.meta.url);
const { Encoder } = createRequire(require.resolve('nid-webauthn-emulator'))('cbor') as {
  Encoder: { prototype: Encoder & { _encodeAll(values: unknown[]): Buffer } };
};

// `cbor` takes the result of one `read()`. Since Node 26 that is only the first piece of the encoded value.
Encoder.prototype._encodeAll = function (values) {
  for (const value of values) this.pushAny(value);
  this.end();
  const pieces: Buffer[] = [];
  for (let piece: Buffer | null; (piece = this.read() as Buffer | null);) pieces.push(piece);
  return Buffer.concat(pieces);
};

/** An authenticator of another maker, for tests. */
export const { AuthenticatorEmulator, PasskeysCredentialsMemoryRepository, WebAuthnEmulator } =
  emulator;
