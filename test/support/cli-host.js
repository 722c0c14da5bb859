import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { commands } from '../../dist/src/commands.js';
import { run } from '../../dist/src/operations/run.js';

/**
 * Runs commands of `latchkey` one after another, as its parent asks for them: to load the program takes
 * ten times as long as most of what it does.
 */
process.stdout.setMaxListeners(0);

/** What a stream would write, as long as `work` runs. */
async function caught(stream, work) {
  const { write } = stream;
  let text = '';
  stream.write = (chunk, encoding, done) => {
    text += chunk.toString();
    const called = typeof encoding === 'function' ? encoding : done;
    if (called) process.nextTick(called);
    return true;
  };
  try {
    await work();
    return text;
  } finally {
    stream.write = write;
  }
}

async function command({ args, cwd, env, input }) {
  process.chdir(cwd);
  process.env = env;
  process.argv = [process.execPath, 'latchkey', ...args];
  process.exitCode = 0;
  const value = Readable.from(input.length > 0 ? [Buffer.from(input)] : []);
  Object.defineProperty(process, 'stdin', { value, configurable: true });
  let stderr = '';
  const stdout = await caught(process.stdout, async () => {
    stderr = await caught(process.stderr, () => run(commands()));
  });
  const code = process.exitCode;
  process.exitCode = 0;
  return { code, stdout, stderr };
}

let last = Promise.resolve();
process.on('message', ({ id, ...asked }) => {
  last = last.then(async () => process.send({ id, outcome: await command(asked) }));
});
