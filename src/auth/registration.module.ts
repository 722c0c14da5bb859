import { Module, type Type } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { AddressRegistrationController } from './address-registration.controller.js';
import { RegistrationController } from './registration.controller.js';

@Module({ controllers: [RegistrationController] })
class RegistrationModule {}

@Module({ controllers: [AddressRegistrationController] })
class AddressRegistrationModule {}

/** Returns the module with `POST /register` as `IDENTIFIER` asks for it. */
export const registrationRoutes = ({ identifier }: Config): Type[] => [
  identifier === 'email' ? AddressRegistrationModule : RegistrationModule,
];
