import { Presets, SingleBar } from 'cli-progress';
import type { CopyProgress } from '../database/copy.js';

/** Shows how a copy comes along on the standard error: a bar on a terminal, else a line a tenth. */
export function showProgress(): { update(progress: CopyProgress): void; end(): void } {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{what} {bar} {value}/{total}' }, Presets.shades_classic)
    : undefined;
  let shown = '';
  return {
    update({ phase, table, done, total }) {
      const what = `${phase === 'copy' ? 'copying' : 'comparing'} ${table}`;
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
      if (shown !== line) console.error(line);
      shown = line;
    },
    end: () => bar?.stop(),
  };
}
