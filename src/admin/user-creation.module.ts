import { Module, type Type } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { AdminModule } from './admin.module.js';
import {
  UserCreationByAddressController,
  UserCreationController,
} from './user-creation.controllers.js';

@Module({ imports: [AdminModule], controllers: [UserCreationController] })
class UserCreationModule {}

@Module({ imports: [AdminModule], controllers: [UserCreationByAddressController] })
class UserCreationByAddressModule {}

/** Returns the module with `POST /users` as `IDENTIFIER` asks for it. */
export const userCreationRoutes = ({ identifier }: Config): Type[] => [
  identifier === 'email' ? UserCreationByAddressModule : UserCreationModule,
];
