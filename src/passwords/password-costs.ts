import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { PasswordCost } from './password-cost.entity.js';
import { readStoredHash } from './stored-hash.js';

/**
 * Knows the highest cost of the stored bcrypt hashes. A guess for an unknown name has to take as long as one
 * for any stored hash. This holds after `BCRYPT_COST` changed, and while another instance or an import stores
 * hashes of another cost.
 */
@Injectable()
export class PasswordCosts {
  private noted: Promise<void> | undefined;

  constructor(
    @InjectRepository(PasswordCost) private readonly costs: Repository<PasswordCost>,
    private readonly config: Config,
    private readonly database: Database,
  ) {}

  /** Returns the highest cost that a stored or new hash may have. */
  async highest(): Promise<number> {
    // Every login asks, and `costs.maximum()` builds the same statement anew each time.
    const [row] = await this.costs.query<{ cost: number | null }[]>(
      'SELECT max(cost) AS cost FROM password_costs',
    );
    return Math.max(row?.cost ?? 0, this.config.bcryptCost);
  }

  /**
   * Records the cost of the settings once, before a hash of it is stored. Runs outside of any transaction.
   */
  async recordOwn(): Promise<void> {
    this.noted ??= this.database
      .write((manager) => note(manager, [this.config.bcryptCost]))
      .catch((error: unknown) => {
        this.noted = undefined;
        throw error;
      });
    await this.noted;
  }

  /** Records the costs of hashes that are stored in the transaction of `manager`. */
  async recordCostsOf(manager: EntityManager, hashes: string[]): Promise<void> {
    const costs = hashes.flatMap((stored) => {
      const read = readStoredHash(stored);
      return read.ok && read.hash.algorithm === 'bcrypt' ? [read.hash.cost] : [];
    });
    await note(manager, [...new Set(costs)].sort());
  }

  /** Forgets costs above the setting's that no stored hash has any more. */
  async forgetUnused(): Promise<void> {
    for (const { cost } of await this.costs.find()) {
      if (cost <= this.config.bcryptCost) continue;
      const digits = String(cost).padStart(2, '0');
      // The usual form of bcrypt, then passlib's own forms.
      const forms = [
        `%$2_$${digits}$%`,
        `$bcrypt-sha256$%,r=${cost}$%`,
        `$bcrypt-sha256$2_,${cost}$%`,
      ];
      await this.database.write((manager) =>
        manager.query(
          `DELETE FROM password_costs WHERE cost = $1
             AND NOT EXISTS (SELECT 1 FROM users WHERE password_hash LIKE $2
               OR password_hash LIKE $3 OR password_hash LIKE $4)`,
          [cost, ...forms],
        ),
      );
    }
  }
}

async function note(manager: EntityManager, costs: number[]): Promise<void> {
  for (const cost of costs) {
    await manager.query('INSERT INTO password_costs (cost) VALUES ($1) ON CONFLICT DO NOTHING', [
      cost,
    ]);
  }
}
