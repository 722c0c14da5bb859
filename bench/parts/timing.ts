import { ask, register } from '../client.js';
import { median, type Plan } from '../measure.js';
import { digits, type Section } from '../report.js';
import { Stage, USER } from '../stage.js';

/** Whether the time of an answer tells a known name from an unknown one. */
export async function timing(plan: Plan): Promise<Section> {
  const logins = plan.quick ? 5 : 20;
  const stage = new Stage(plan.cost);
  try {
    const server = await stage.latchkey('Latchkey');
    await register(server);
    const rows: string[][] = [];
    const ratios: number[] = [];
    for (let round = 1; round <= plan.rounds; round++) {
      const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
      for (let i = 0; i < logins; i++) {
        // Which comes first changes, so that neither always follows the other.
        const names = i % 2 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
        for (const name of names) {
          const username = name === 'known' ? USER.username : `nobody${i}`;
          const body = { username, password: `wrong password ${i}` };
          const { status, ms } = await ask(server, 'POST', '/login', { body });
          if (status !== 401) throw new Error(`expected 401, got ${status}`);
          times[name].push(ms);
        }
      }
      const [known, unknown] = [median(times.known), median(times.unknown)];
      ratios.push(unknown / known);
      rows.push([`${round}`, known.toFixed(1), unknown.toFixed(1), (unknown / known).toFixed(3)]);
    }
    return {
      title: 'Known and unknown names',
      text:
        `Wrong passwords, ${logins} logins a round with a known and an unknown name in turns, one ` +
        'at a time; medians. A stranger must not learn from the time who has an account.',
      columns: ['round', 'known, ms', 'unknown, ms', 'ratio'],
      rows: [...rows, ['median', '', '', digits(median(ratios))]],
      targets: [
        {
          what: 'Login with an unknown name, time to that with a known one',
          measured: median(ratios),
          atLeast: 0.98,
          atMost: 1.02,
          unit: ' ×',
        },
      ],
    };
  } finally {
    await stage.close();
  }
}
