import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { AuditLog } from '../audit/audit-log.js';
import { readTimeCursor } from '../common/list-cursor.js';
import { refuses } from '../auth/openapi.js';
import { Permissions } from '../auth/permissions.guard.js';
import {
  type AuditPage,
  auditPageSchema,
  type AuditQuery,
  auditQuerySchema,
  cursorAfter,
  eventView,
} from './audit.schemas.js';

@ApiTags('audit')
@Controller('audit')
@Permissions('audit:read')
@refuses(403, 'The user lacks the permission `audit:read`')
export class AuditController {
  constructor(private readonly log: AuditLog) {}

  @Get()
  @ApiOperation({ summary: 'List the events of the audit, the newest first' })
  @ApiResponse({ status: 200, description: 'A page of events', standardSchema: auditPageSchema })
  @refuses(400, 'A parameter is not valid')
  async list(
    @Query({ schema: auditQuerySchema }) { limit, cursor, ...filter }: AuditQuery,
  ): Promise<AuditPage> {
    const from = cursor === undefined ? undefined : readTimeCursor(cursor);
    // One more than requested shows whether there is another page.
    const events = await this.log.page(filter, limit + 1, from);
    const last = events.length > limit ? events[limit - 1] : undefined;
    return {
      events: events.slice(0, limit).map(eventView),
      next: last ? cursorAfter(last) : null,
    };
  }
}
