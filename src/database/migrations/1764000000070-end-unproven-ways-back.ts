import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Ends the links that undo a change of address if the audit does not show that the old address was
 * verified. Earlier versions mailed them to unverified addresses too, and each takes the account.
 */
export class EndUnprovenWaysBack1764000000070 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DELETE FROM one_time_tokens
       WHERE purpose = 'undo-email-change' AND NOT EXISTS (
         SELECT 1 FROM audit_events
         WHERE audit_events.subject_id = one_time_tokens.user_id
           AND audit_events.action IN ('email_verified', 'password_reset')
           AND audit_events.created_at < one_time_tokens.created_at
       )`,
    );
  }

  async down(): Promise<void> {
    // The links cannot be made again.
  }
}
