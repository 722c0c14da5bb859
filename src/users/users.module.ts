import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { WebhooksModule } from '../webhooks/webhooks.module.js';
import { UserEvents } from './user-events.js';
import { User } from './user.entity.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User]), WebhooksModule],
  providers: [UserEvents, UsersService],
  exports: [UserEvents, UsersService],
})
export class UsersModule {}
