import { Module } from '@nestjs/common';
import { BreachedPasswords } from './breached-passwords.js';
import { HashPool } from './hash-pool.js';
import { NewPasswords } from './new-passwords.js';
import { PasswordsService } from './passwords.service.js';

@Module({
  providers: [BreachedPasswords, HashPool, PasswordsService, NewPasswords],
  exports: [PasswordsService, NewPasswords],
})
export class PasswordsModule {}
