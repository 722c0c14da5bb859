import { createHash, createHmac } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config.js';
import { type HashOptions, HashPool } from './hash-pool.js';
import type { Prehash } from './hash-bounds.js';
import { bcryptHash } from './hash-worker.js';
import { PasswordCosts } from './password-costs.js';
import { CONDENSED, readStoredHash } from './stored-hash.js';

/**
 * bcrypt ignores bytes after the 72nd, and ends shorter passwords with a NUL, so it distinguishes up to 71
 * bytes. A password of 72 bytes or more is condensed first, and its hash is marked. So plain hashes of other
 * systems keep their meaning.
 */
const CONDENSE_FROM = 72;

/** The lowest cost that bcrypt takes; a hash takes a millisecond. */
const LOWEST_COST = 4;

/**
 * Hashes prepared passwords (see `preparePassword`) with bcrypt. Verifies them by the algorithm of their
 * stored hash, ours or another system's.
 */
@Injectable()
export class PasswordsService implements OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly pool: HashPool,
    private readonly costs: PasswordCosts,
  ) {}

  /**
   * Stops the start if bcrypt cannot be loaded. It is tried here and not in a thread: the first thread starts
   * with the first password, and a hash at `BCRYPT_COST` would take a tenth of the start.
   */
  async onModuleInit(): Promise<void> {
    await bcryptHash({ password: '', cost: LOWEST_COST });
    await this.costs.recordOwn();
    await this.costs.forgetUnused();
  }

  /**
   * Refuses early, before other work is done for a hash that could not start in time.
   *
   * @throws ApiError overloaded
   */
  expectRoom(options?: HashOptions): Promise<void> {
    return this.pool.expectRoom(options);
  }

  /**
   * Returns the hash to store: a bcrypt string, marked if the password was condensed.
   *
   * @throws ApiError as `HashPool.run`
   */
  async hash(password: string, options?: HashOptions): Promise<string> {
    await this.costs.recordOwn();
    const long = isLong(password);
    const input = {
      password: long ? condense(password) : password,
      cost: this.config.bcryptCost,
    };
    const hash = await this.pool.run('bcryptHash', input, options);
    return long ? CONDENSED + hash : hash;
  }

  /**
   * Tells whether `password` matches `stored`. A mismatch takes the work of the highest stored bcrypt cost,
   * which may exceed that of `stored`. The same holds without a hash or without a password, so an unknown
   * user takes as long as a known one.
   *
   * @throws ApiError as `HashPool.run`
   */
  async verify(
    password: string | undefined,
    stored: string | undefined,
    options?: HashOptions,
  ): Promise<boolean> {
    const read = readStoredHash(stored ?? '');
    const highest = await this.costs.highest();
    if (password === undefined || !read.ok) {
      await this.compare(password ?? '', dummyHash(highest), [], options);
      return false;
    }
    const { hash } = read;
    switch (hash.algorithm) {
      case 'bcrypt':
        return this.compare(
          bcryptInput(password, hash),
          hash.hash,
          dummiesBetween(hash.cost, highest),
          options,
        );
      case 'pbkdf2':
        return this.pool.run('pbkdf2Verify', { ...hash, password }, options);
      case 'scrypt':
        return this.pool.run('scryptVerify', { ...hash, password }, options);
      case 'argon2id':
        return this.pool.run('argon2idVerify', { ...hash, password }, options);
      case 'firebase':
        return this.pool.run('firebaseVerify', { ...hash, password }, options);
      case 'shacrypt':
        return this.pool.run('shacryptVerify', { ...hash, password }, options);
      case 'phpass':
        return this.pool.run('phpassVerify', { ...hash, password }, options);
    }
  }

  /** Tells whether `stored` should be renewed with the password at hand. */
  needsRehash(password: string, stored: string): boolean {
    const read = readStoredHash(stored);
    if (!read.ok || read.hash.algorithm !== 'bcrypt') return true;
    const { cost, condensed, prehash } = read.hash;
    return prehash !== undefined || cost < this.config.bcryptCost || condensed !== isLong(password);
  }

  /** Makes one bcrypt comparison, and if it fails those with the dummies, in one turn of a thread. */
  protected compare(
    password: string,
    hash: string,
    dummies: string[],
    options?: HashOptions,
  ): Promise<boolean> {
    return this.pool.run('bcryptCompare', { password, hash, dummies }, options);
  }
}

/** Returns a hash of this cost that matches no known password. */
const dummyHash = (cost: number): string =>
  `$2b$${String(cost).padStart(2, '0')}$abcdefghijklmnopqrstuu${'.'.repeat(31)}`;

/** Returns dummy hashes. Their work and that of a hash of cost `from` add up to one of cost `to`. */
const dummiesBetween = (from: number, to: number): string[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => dummyHash(from + i));

const isLong = (password: string): boolean => Buffer.byteLength(password) >= CONDENSE_FROM;

/** Returns the input of bcrypt for a password, by the system that stored the hash. */
function bcryptInput(
  password: string,
  { condensed, prehash }: { condensed: boolean; prehash?: Prehash },
): string {
  if (condensed) return condense(password);
  switch (prehash?.by) {
    case undefined:
      return password;
    case 'django':
      return createHash('sha256').update(password, 'utf8').digest('hex');
    case 'passlib1':
      return createHash('sha256').update(password, 'utf8').digest('base64');
    case 'passlib2':
      return createHmac('sha256', prehash.salt).update(password, 'utf8').digest('base64');
    case 'wordpress':
      return createHmac('sha384', 'wp-sha384').update(password.trim(), 'utf8').digest('base64');
  }
}

/** Returns 64 characters that stand for all of a long password. */
const condense = (password: string): string =>
  createHash('sha384').update(password, 'utf8').digest('base64');
