import type { EntityManager } from 'typeorm';
import { lock, tryLock } from '../database/advisory-locks.js';

/** Keeps other instances from changing or removing stored rows until the transaction ends. */
export const lockAudit = (manager: EntityManager): Promise<void> => lock(manager, 'audit');

/** Like {@link lockAudit}, but returns false at once if another transaction holds the lock. */
export const tryLockAudit = (manager: EntityManager): Promise<boolean> => tryLock(manager, 'audit');
