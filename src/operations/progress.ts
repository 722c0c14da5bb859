import { Presets, SingleBar } from 'cli-progress';
import { printError } from './print.js';

/** The progress of some work. */
export interface Progress {
  /** A description in a few words. */
  what: string;
  done: number;
  total: number;
}

/** Shows progress on the standard error: a bar on a terminal, otherwise a line for each tenth. */
export function showProgress(): { update(progress: Progress): void; end(): void } {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{what} {bar} {value}/{total}' }, Presets.shades_classic)
    : undefined;
  let shown = '';
  return {
    update({ what, done, total }) {
      if (bar) {
        if (shown !== what) {
          bar.stop();
          bar.start(total, done, { what });
        }
        shown = what;
        bar.update(done);
        return;
      }
      const tenths = total === 0 ? 10 : Math.floor((10 * done) / total);
      const line = `${what}: ${tenths * 10} %`;
      if (shown !== line) printError(line);
      shown = line;
    },
    end: () => bar?.stop(),
  };
}
