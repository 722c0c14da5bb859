import { Socket } from 'node:net';
import { ClientMemory } from './client-memory.js';

const make = () => {
  const socket = new Socket();
  let bytes = 0;
  const weigh = () => bytes;
  const keep = (memory: ClientMemory, size: number, moved = false) => {
    bytes = size;
    memory.hold(socket, size, weigh, moved);
  };
  return { socket, keep, read: () => (bytes = 0) };
};

it('closes the connection that has gone the longest without progress, and as few as it must', () => {
  const memory = new ClientMemory(100);
  const [a, b, c, d] = [make(), make(), make(), make()];
  a.keep(memory, 30);
  b.keep(memory, 30);
  c.keep(memory, 30);
  a.keep(memory, 25, true);
  expect(memory.bytes).toBe(85);
  d.keep(memory, 30);
  expect([a, b, c, d].map(({ socket }) => socket.destroyed)).toEqual([false, true, false, false]);
  expect(memory.bytes).toBe(85);
});

it('looks again before it closes a connection, whose client may have read meanwhile', () => {
  const memory = new ClientMemory(100);
  const [a, b, c] = [make(), make(), make()];
  a.keep(memory, 60);
  b.keep(memory, 30);
  a.read();
  c.keep(memory, 50);
  expect([a, b, c].map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
  expect(memory.bytes).toBe(80);
});

it('does not count what was let go', () => {
  const memory = new ClientMemory(100);
  const [a, b] = [make(), make()];
  a.keep(memory, 60);
  a.keep(memory, 0);
  b.keep(memory, 100);
  b.keep(memory, 40);
  expect([memory.bytes, a.socket.destroyed, b.socket.destroyed]).toEqual([40, false, false]);
});

it('closes even the one connection that takes more than there is for all', () => {
  const memory = new ClientMemory(100);
  const a = make();
  a.keep(memory, 101);
  expect([memory.bytes, a.socket.destroyed]).toEqual([0, true]);
});
