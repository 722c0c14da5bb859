/** Returns the message of a name in an address, from a closed list. */
export const messageOf = (messages: Record<string, string>, name: unknown): string | undefined =>
  typeof name === 'string' && Object.hasOwn(messages, name) ? messages[name] : undefined;
