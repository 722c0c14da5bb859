/**
 * Runs `work`, whose errors carry no stack while it is on the stack itself (not after an `await`). For
 * refusals that a stranger can cause by the thousand: taking a stack costs more than verifying a
 * signature. (With a limit of 0 V8 would take one, an empty one.)
 */
export function withoutStacks<T>(work: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = undefined as unknown as number;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
