import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BreachedPasswords } from './breached-passwords.js';
import { HASH_MAX_WAIT, HashPool } from './hash-pool.js';
import { NewPasswords } from './new-passwords.js';
import { PasswordCost } from './password-cost.entity.js';
import { PasswordCosts } from './password-costs.js';
import { PasswordsService } from './passwords.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([PasswordCost])],
  providers: [
    BreachedPasswords,
    { provide: HASH_MAX_WAIT, useValue: 5 },
    HashPool,
    PasswordCosts,
    PasswordsService,
    NewPasswords,
  ],
  exports: [PasswordCosts, PasswordsService, NewPasswords],
})
export class PasswordsModule {}
