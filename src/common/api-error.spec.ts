import { ApiError } from './api-error.js';

describe('ApiError', () => {
  it('takes a stack for a fault of ours, and none for a refusal', () => {
    const limit = Error.stackTraceLimit;
    expect(new ApiError('internal_error').stack).toMatch(/\n +at .*api-error\.spec/);
    expect(new ApiError('not_ready').stack).toMatch(/\n +at /);
    expect(new ApiError('overloaded').stack).not.toContain('\n');
    expect(new ApiError('token_expired').stack).toBe('ApiError: Token has expired');
    expect(Error.stackTraceLimit).toBe(limit);
  });
});
