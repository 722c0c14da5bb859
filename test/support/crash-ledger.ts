import { randomInt } from 'node:crypto';
import { type Change, CrashAccount } from './crash-account.js';

const KINDS = ['register', 'login', 'refresh', 'logout', 'password'] as const;

/**
 * Clients of a server that gets killed. They note what was acknowledged and what was left in doubt, and
 * compare it with what another server on the same database says.
 */
export class CrashLedger {
  /** How many requests of each kind were acknowledged, and how many were left in doubt. */
  readonly acknowledged = none();
  readonly inDoubt = none();
  private readonly clients: { account?: CrashAccount }[];
  private readonly accounts: CrashAccount[] = [];
  private readonly touched = new Set<CrashAccount>();
  private readonly refused: string[] = [];

  constructor(clients: number) {
    this.clients = Array.from({ length: clients }, () => ({}));
  }

  /**
   * Writes without a pause, each client one request at a time, until the server is gone; `answered` is
   * called with each answer.
   */
  async load(url: string, answered: () => void): Promise<void> {
    const run = async (client: { account?: CrashAccount }) => {
      for (let alive = true; alive;) {
        const kind = client.account ? (KINDS[randomInt(KINDS.length)] ?? 'login') : 'register';
        if (kind === 'register' || !client.account) {
          client.account = new CrashAccount();
          this.accounts.push(client.account);
        }
        alive = await this.write(url, client.account, client.account.change(kind));
        if (alive) answered();
      }
    };
    await Promise.all(this.clients.map(run));
  }

  /** What is not as it was acknowledged, of the accounts written to since the last time, or of `all`. */
  async compare(url: string, which: 'touched' | 'all' = 'touched'): Promise<string[]> {
    const wrong = this.refused.splice(0);
    const left = which === 'all' ? [...this.accounts] : [...this.touched];
    this.touched.clear();
    const compareRest = async () => {
      for (let account = left.pop(); account; account = left.pop()) {
        wrong.push(...(await account.compare(url)));
      }
    };
    await Promise.all(Array.from({ length: 16 }, compareRest));
    return wrong;
  }

  /** Resolves to whether there was an answer. */
  private async write(url: string, account: CrashAccount, change: Change): Promise<boolean> {
    this.touched.add(account);
    account.inDoubt = change;
    try {
      const { status, body } = await account.send(url, change);
      account.inDoubt = undefined;
      if (status < 300) {
        account.apply(change, body);
        this.acknowledged[change.kind]++;
      } else this.refused.push(`${change.kind}: ${status} ${String(body.code)}`);
      return true;
    } catch {
      this.inDoubt[change.kind]++;
      return false;
    }
  }
}

const none = (): Record<Change['kind'], number> => ({
  register: 0,
  login: 0,
  refresh: 0,
  logout: 0,
  password: 0,
});
