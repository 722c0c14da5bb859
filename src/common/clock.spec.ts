import { Clock } from './clock.js';

const START = 1_700_000_000_000;

/** Returns a clock on a machine whose own clocks advance only as the test says. */
function machine() {
  let wall = START;
  let steady = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => wall);
  jest.spyOn(performance, 'now').mockImplementation(() => steady);
  return {
    clock: new Clock(),
    pass: (ms: number) => {
      wall += ms;
      steady += ms;
    },
    setTime: (by: number) => {
      wall += by;
    },
  };
}
afterEach(() => jest.restoreAllMocks());

it('goes by the machine if the source agrees, within the time that the answer took', () => {
  const { clock, pass } = machine();
  const asked = clock.now();
  pass(20);
  clock.set(asked, START + 7);
  expect(clock.now()).toBe(START + 20);
});

it.each([120_000, -120_000, 600_000, -600_000])(
  'takes the time of the source at first, if the machine is %i ms off',
  (off) => {
    const { clock, pass } = machine();
    clock.set(clock.now(), START - off);
    expect(clock.now()).toBe(START - off);
    pass(1_000);
    expect(clock.now()).toBe(START - off + 1_000);
  },
);

it.each([600_000, -600_000])('does not notice that the machine is set by %i ms', (by) => {
  const { clock, pass, setTime } = machine();
  clock.set(clock.now(), START);
  pass(1_000);
  setTime(by);
  expect(clock.now()).toBe(START + 1_000);
  pass(1_000);
  expect(clock.now()).toBe(START + 2_000);
});

it('follows a source that is set ahead at once, and waits for one that is set back', () => {
  const { clock, pass } = machine();
  clock.set(clock.now(), START);
  clock.set(clock.now(), START + 60_000);
  expect(clock.now()).toBe(START + 60_000);
  let last = clock.now();
  for (let second = 1; second <= 120; second++) {
    pass(1_000);
    expect(clock.now()).toBeGreaterThanOrEqual(last);
    last = clock.now();
    clock.set(last, START + second * 1_000);
  }
  pass(1_000);
  expect(clock.now()).toBe(START + 121_000);
});

it('follows a source back that is set back by more than an hour', () => {
  const { clock } = machine();
  clock.set(clock.now(), START);
  clock.set(clock.now(), START - 4_000_000);
  expect(clock.now()).toBe(START - 4_000_000);
});
