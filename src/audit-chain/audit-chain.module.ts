import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { AuditModule } from '../audit/audit.module.js';
import { Database } from '../database/database.js';
import { Keyring } from '../keys/keyring.js';
import { KeysModule } from '../keys/keys.module.js';
import { AuditChain } from './audit-chain.js';
import { AuditKeys } from './audit-keys.js';
import { AuditSealer } from './audit-sealer.js';

/** Chains the rows of the audit by MACs, so that `audit verify` finds rows that were changed or removed. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent]), AuditModule, KeysModule],
  providers: [
    {
      provide: AuditKeys,
      inject: [Keyring, Database],
      useFactory: (keyring: Keyring, database: Database) => AuditKeys.open(keyring, database),
    },
    AuditChain,
    AuditSealer,
  ],
})
export class AuditChainModule {}
