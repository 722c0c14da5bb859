import { type DynamicModule, Module } from '@nestjs/common';
import { AccountModule } from './account/account.module.js';
import { AdminModule } from './admin/admin.module.js';
import { AuditChainModule } from './audit-chain/audit-chain.module.js';
import { AuthModule } from './auth/auth.module.js';
import { BootstrapModule } from './operations/bootstrap.module.js';
import { CommonModule } from './common/common.module.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './observability/health.module.js';
import { RecoveryModule } from './recovery/recovery.module.js';
import { SentMailsModule } from './mail/sent-mails.module.js';
import { ThrottlingModule } from './throttling/throttling.module.js';

/** The table of contents: a module of your own is one more line here. */
@Module({
  imports: [
    CommonModule,
    DatabaseModule,
    ThrottlingModule,
    AuthModule,
    AuditChainModule,
    RecoveryModule,
    AccountModule,
    AdminModule,
    BootstrapModule,
    HealthModule,
  ],
})
export class AppModule {
  /** The application with its settings. */
  static with(config: Config): DynamicModule {
    const shown = config.mail.shown ? [SentMailsModule] : [];
    return { module: AppModule, imports: [ConfigModule.with(config), ...shown] };
  }
}
