import { ApiError, type ApiErrorCode } from '../common/api-error.js';

/**
 * A refusal that leaves a trace, such as an audit row. The transaction that throws it is undone, so the trace is
 * stored afterwards, by {@link recordRefusal}.
 */
export class RecordedRefusal extends ApiError {
  constructor(
    code: ApiErrorCode,
    readonly record: () => Promise<void>,
  ) {
    super(code);
  }
}

/** Stores the trace of a refusal, if it leaves one. Call it outside the transaction. */
export async function recordRefusal(error: unknown): Promise<void> {
  if (error instanceof RecordedRefusal) await error.record();
}
