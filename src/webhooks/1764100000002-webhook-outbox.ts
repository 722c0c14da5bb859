import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

/** Makes the table of the webhooks that are still to be sent. */
export class WebhookOutbox1764100000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'webhook_outbox',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'user_id', type: 'varchar', length: '36' },
          { name: 'position', type: 'integer' },
          { name: 'type', type: 'varchar', length: '64' },
          { name: 'payload', type: 'text' },
          { name: 'created_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
          { name: 'due_at', type: 'bigint', isNullable: true },
          { name: 'attempts', type: 'integer', default: 0 },
          { name: 'failed_at', type: 'bigint', isNullable: true },
          { name: 'failure', type: 'varchar', length: '255', isNullable: true },
        ],
        indices: [
          {
            name: 'uq_webhook_outbox_user_position',
            columnNames: ['user_id', 'position'],
            isUnique: true,
          },
          { name: 'ix_webhook_outbox_due_at', columnNames: ['due_at'] },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('webhook_outbox');
  }
}
