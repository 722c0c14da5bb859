import Sequencer from '@jest/test-sequencer';

/** The files that take longest. Most are small and start many programs, or wait. */
const LONGEST =
  /\/test\/(newcomer|run-it|clients|clocks|nginx|crash|copy|audit-chain|audit-tampering|mail-delivery|webhooks-processes|bootstrap-admin|import|imported-users|cli|cli-users|start|stop|backup|removable|hashing|doctor|page-quality|hostile-bodies|account-browser|rotation|rate-limits|identifier|password-guesses|corpora|ways-in)\.|\/limit-store\.spec/;

const isLong = ({ path }) => LONGEST.test(path);

/**
 * Starts the longest files first, so that none of them runs alone at the end. On a fresh clone Jest knows no
 * durations, and would start with the largest files.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
