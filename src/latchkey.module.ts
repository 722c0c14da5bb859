import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AccountModule } from './account/account.module.js';
import { AdminModule } from './admin/admin.module.js';
import { AuditChainModule } from './audit-chain/audit-chain.module.js';
import { AuthModule } from './auth/auth.module.js';
import { AuthHooks } from './auth/hooks.js';
import { CommonModule } from './common/common.module.js';
import { DatabaseModule } from './database/database.module.js';
import { TABLES, type Tables } from './database/tables.js';
import { FactorsModule } from './factors/factors.module.js';
import { HtmlModule } from './html/html.module.js';
import { MailModule } from './mail/mail.module.js';
import { MailSignInModule } from './mail-sign-in/mail-sign-in.module.js';
import { HealthModule } from './observability/health.module.js';
import { BootstrapModule } from './operations/bootstrap.module.js';
import { PasskeysModule } from './passkeys/passkeys.module.js';
import { RecoveryModule } from './recovery/recovery.module.js';
import { tablesWith } from './tables.js';
import { ThrottlingModule } from './throttling/throttling.module.js';
import { TotpModule } from './totp/totp.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

/** The additions of a project to Latchkey. */
export interface LatchkeyOptions extends Partial<Tables> {
  /** The project's claims and answers. Its constructor may inject what a global module exports. */
  hooks?: Type<AuthHooks>;
}

/** All of Latchkey: first the core, then the capabilities. A capability is removed with its line and its folder. */
@Module({})
export class LatchkeyModule {
  static forRoot(options: LatchkeyOptions = {}): DynamicModule {
    return {
      module: LatchkeyModule,
      global: true,
      imports: [
        CommonModule,
        DatabaseModule,
        ThrottlingModule,
        AuthModule,
        MailModule,
        HtmlModule,

        AuditChainModule,
        RecoveryModule,
        AccountModule,
        FactorsModule,
        TotpModule,
        MailSignInModule,
        PasskeysModule,
        AdminModule,
        BootstrapModule,
        HealthModule,
        WebhooksModule,
      ],
      providers: [
        { provide: TABLES, useValue: tablesWith(options) },
        { provide: AuthHooks, useClass: options.hooks ?? AuthHooks },
      ],
      exports: [TABLES, AuthHooks],
    };
  }
}
