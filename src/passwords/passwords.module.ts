import { Module } from '@nestjs/common';
import { HashPool } from './hash-pool.js';
import { PasswordsService } from './passwords.service.js';

@Module({ providers: [HashPool, PasswordsService], exports: [PasswordsService] })
export class PasswordsModule {}
