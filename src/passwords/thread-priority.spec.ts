import { niceIncrement } from './thread-priority.js';

describe('niceIncrement', () => {
  const load = () => ({ nice: (increment: number) => increment });

  it.each([
    ['linux', 1],
    ['win32', -1],
  ] as const)('lowers threads on %s by %d', (platform, increment) => {
    expect(niceIncrement(platform, load)).toBe(increment);
  });

  it('leaves platforms alone where it would slow the whole process down', () => {
    expect(() => niceIncrement('darwin', load)).toThrow('no priority of their own on darwin');
  });

  it('says why where the call is refused or the module is missing', () => {
    const refuse = () => {
      throw new Error('Operation not permitted');
    };
    expect(() => niceIncrement('linux', () => ({ nice: refuse }))).toThrow('not permitted');
    expect(() => niceIncrement('linux', refuse)).toThrow('not permitted');
  });
});
