import { PassThrough } from 'node:stream';
import { type PasswordTerminal, readPassword } from './read-password.js';

/** Returns a terminal at which a user types an answer to each question. */
function typing(...answers: string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  let shown = '';
  const output = {
    write: (text: string) => {
      shown += text;
      if (text.endsWith(': ')) setImmediate(() => input.write(answers.shift()));
    },
  };
  const terminal: PasswordTerminal = { input, output };
  return { terminal, shown: () => shown };
}

it('asks twice and shows nothing of what is typed', async () => {
  const { terminal, shown } = typing('hunter 2 ü🐈\r', 'hunter 2 ü🐈\r');
  expect(await readPassword(terminal)).toBe('hunter 2 ü🐈');
  expect(shown()).toBe('Password: \nThe password again: \n');
});

it('lets a mistake be erased', async () => {
  const { terminal } = typing('hunterx\u007F2\r', 'hunter2\r');
  expect(await readPassword(terminal)).toBe('hunter2');
});

it.each([
  ['two that differ', ['one\r', 'two\r'], 'The two passwords are not the same'],
  ['nothing', ['\r'], 'No password was given'],
  ['Ctrl-C', ['secret\u0003'], 'No password was given'],
  ['Ctrl-D', ['\u0004'], 'No password was given'],
])('takes no password of %s', async (_what, answers, sentence) => {
  const { terminal, shown } = typing(...answers);
  await expect(readPassword(terminal)).rejects.toThrow(sentence);
  expect(shown()).not.toContain('secret');
});
