/**
 * Starts Latchkey with a queue of hashes that is as long as its clients: a refusal is no throughput. With
 * `AUDIT=off` it records and seals nothing.
 */
import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { appModule } from '../../src/app.setup.js';
import { createAdapter, setupApp } from '../../src/app.setup.js';
import { AuditSealer } from '../../src/audit-chain/audit-sealer.js';
import { AuditService } from '../../src/audit/audit.service.js';
import { Config } from '../../src/config/config.js';
import { HASH_MAX_WAIT } from '../../src/passwords/hash-pool.js';

/** Records nothing. */
class SilentAudit extends AuditService {
  override record(): Promise<void> {
    return Promise.resolve();
  }
}

const config = Config.load();
const builder = Test.createTestingModule({ imports: [appModule(config)] });
builder.overrideProvider(HASH_MAX_WAIT).useValue(60);
if (process.env.AUDIT === 'off') {
  builder.overrideProvider(AuditService).useClass(SilentAudit);
  builder.overrideProvider(AuditSealer).useValue({});
}
const module = await builder.compile();
const app = module.createNestApplication<NestFastifyApplication>(createAdapter(config), {
  bodyParser: false,
});
await setupApp(app, config);
process.once('SIGTERM', () => {
  void app.close().finally(() => process.exit(0));
});
await app.listen(config.port, config.host);
