import { GatheredLines } from './gathered-lines.js';

let written: string[];
let lines: GatheredLines;
beforeEach(() => {
  written = [];
  lines = new GatheredLines((text) => written.push(text));
});
afterEach(() => {
  process.off('exit', lines.flushSync);
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('the lines of one turn are written together and in order, at its end', async () => {
  lines.write('one\n');
  await Promise.resolve();
  lines.write('two\n');
  expect(written).toEqual([]);
  await turn();
  lines.write('three\n');
  await turn();
  expect(written).toEqual(['one\ntwo\n', 'three\n']);
});

it('the lines before the end of the process and before a fatal error are written at once', async () => {
  lines.write('one\n');
  lines.flushSync();
  lines.write('two\n');
  process.listeners('exit').at(-1)?.(0);
  expect(written).toEqual(['one\n', 'two\n']);
  await turn();
  expect(written).toHaveLength(2);
});

it('many lines do not wait for the end of a turn', () => {
  for (let i = 0; i < 1000; i++) lines.write('.'.repeat(99) + '\n');
  expect(written.join('').length).toBeGreaterThan(30_000);
});
