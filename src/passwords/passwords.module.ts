import { Module } from '@nestjs/common';
import { NewPasswords } from './new-passwords.js';
import { PasswordsService } from './passwords.service.js';

@Module({
  providers: [PasswordsService, NewPasswords],
  exports: [PasswordsService, NewPasswords],
})
export class PasswordsModule {}
