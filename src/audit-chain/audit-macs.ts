import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** The subject of a MAC. It keeps a MAC from being used for another subject. */
export type MacPurpose = 'row' | 'link' | 'start' | 'head' | 'rekeyed';

/** The fault of a MAC. */
export type MacFault = 'bad' | 'unknown_key';

/** HMAC-SHA-256 with any of several keys: `<id of the key>.<mac in base64url>`. */
export class AuditMacs {
  /** Node makes a MAC with such a key in a third of the time that it needs with bytes. */
  private readonly keys = new Map<string, KeyObject>();
  private readonly closed = new Set<string>();
  private currentId: string | undefined;

  /** Adds a key. New MACs use the key that was added last. */
  add(id: string, key: Buffer): void {
    this.keys.set(id, createSecretKey(key));
    this.closed.delete(id);
    this.currentId = id;
  }

  /** Adds the id of a stored key that does not open. */
  addClosed(id: string): void {
    if (!this.keys.has(id)) this.closed.add(id);
  }

  /** Tells whether a MAC names a stored key that does not open. */
  isClosed(mac: string): boolean {
    return this.closed.has(mac.split('.')[0] ?? '');
  }

  /** Whether there is a key for new MACs. */
  get ready(): boolean {
    return this.currentId !== undefined;
  }

  make(purpose: MacPurpose, parts: unknown[]): string {
    const id = this.currentId ?? '';
    const key = this.keys.get(id);
    if (!key) throw new Error('The audit has no key');
    return `${id}.${macOf(key, purpose, parts).toString('base64url')}`;
  }

  /** Returns the fault of a MAC over `parts`; undefined if it is right. */
  faultOf(mac: string, purpose: MacPurpose, parts: unknown[]): MacFault | undefined {
    const [id = '', text = ''] = mac.split('.');
    const key = this.keys.get(id);
    if (!key) return 'unknown_key';
    const given = Buffer.from(text, 'base64url');
    const right = macOf(key, purpose, parts);
    return given.length === right.length && timingSafeEqual(given, right) ? undefined : 'bad';
  }
}

const macOf = (key: KeyObject, purpose: MacPurpose, parts: unknown[]): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([purpose, ...parts]))
    .digest();
