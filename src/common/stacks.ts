/**
 * Runs `work` so that its errors carry no stack, up to its first `await`. For refusals that a stranger can
 * cause by the thousand: a stack costs more than verifying a signature. (A limit of 0 would still make an
 * empty stack.)
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
