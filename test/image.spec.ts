import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { Config } from '../src/config/config.js';
import { settingNames } from '../src/config/setting.js';

const read = (file: string) => readFileSync(file, 'utf8');
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter(Boolean)
  .map((line) => {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line.trim()) ?? [];
    return { word, rest: rest.replaceAll(/\s+/g, ' ') };
  });
const of = (name: string) =>
  instructions.filter(({ word }) => word === name).map(({ rest }) => rest);
const last = instructions.slice(instructions.findLastIndex(({ word }) => word === 'FROM'));
const ofLast = (name: string) => last.filter(({ word }) => word === name).map(({ rest }) => rest);

/** The rules of hadolint that matter here, by their numbers. */
describe('the Dockerfile', () => {
  it('names the version of its base images (DL3006, DL3007)', () => {
    for (const from of of('FROM')) expect(from).toMatch(/^node:24-slim( AS build)?$/);
  });

  it('runs as a user without rights, from an absolute folder (DL3000, DL3002)', () => {
    // A number: Kubernetes refuses a name where `runAsNonRoot` is asked for.
    expect(ofLast('USER')).toEqual(['1000:1000']);
    for (const folder of of('WORKDIR')) expect(folder).toMatch(/^\//);
    const afterUser = last.slice(last.findIndex(({ word }) => word === 'USER'));
    expect(afterUser.map(({ word }) => word)).not.toContain('RUN');
  });

  it('copies and does not add, uses no sudo and no cd (DL3003, DL3004, DL3020)', () => {
    expect(of('ADD')).toEqual([]);
    for (const line of of('RUN')) expect(line).not.toMatch(/\bsudo\b|\bcd /);
  });

  it('leaves no lists of packages and takes nothing that is only recommended (DL3009, DL3014, DL3015)', () => {
    const apt = of('RUN').filter((line) => line.includes('apt-get'));
    expect(apt).toHaveLength(1);
    expect(apt[0]).toMatch(/^apt-get update && apt-get install -y --no-install-recommends /);
    expect(apt[0]).toMatch(/ && rm -rf \/var\/lib\/apt\/lists\/\*$/);
    expect(ofLast('RUN').join()).not.toMatch(/apt-get|npm/);
  });

  it('has one command and one health check, without a shell (DL3025, DL3012)', () => {
    expect(of('CMD').map((text) => JSON.parse(text) as unknown)).toEqual([
      ['node', 'dist/src/main.js'],
    ]);
    const [check = '', ...more] = of('HEALTHCHECK');
    expect(more).toEqual([]);
    const words = JSON.parse(check.slice(check.indexOf('CMD ') + 4)) as string[];
    expect(words.slice(0, 2)).toEqual(['node', '-e']);
    expect(of('ENTRYPOINT')).toEqual([]);
  });

  it('holds no secret (SecretsUsedInArgOrEnv)', () => {
    const given = [...of('ENV'), ...of('ARG')].join(' ');
    expect(given).not.toMatch(/SECRET|PASSWORD|PRIVATE|TOKEN/i);
  });

  it('copies what is there, and only what .dockerignore lets in', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = of('COPY')
      .filter((line) => !line.startsWith('--from='))
      .flatMap((line) => line.split(' ').slice(0, -1));
    expect(copied.sort()).toEqual(allowed.sort());
    expect(copied.filter((file) => !existsSync(file))).toEqual([]);
    expect(read('.dockerignore')).toMatch(/^\*$/m);
    const built = ofLast('COPY').filter((line) => line.startsWith('--from='));
    expect(built.every((line) => line.startsWith('--from=build /app/'))).toBe(true);
  });
});

describe('compose.yaml', () => {
  const compose = read('compose.yaml');

  it('names the version of every image', () => {
    const images = [...compose.matchAll(/^ *image: (\S+)$/gm)].map(([, image = '']) => image);
    expect(images.sort()).toEqual([
      'latchkey:local',
      expect.stringMatching(/^nginx:1\.\d+-alpine$/),
      expect.stringMatching(/^postgres:\d+-alpine$/),
      expect.stringMatching(/^redis:\d+\.\d+-alpine$/),
    ]);
  });

  it('takes its secrets from compose.env, which neither git nor the image gets', () => {
    const asked = [...compose.matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name);
    const example = read('compose.env.example');
    const given = [...example.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    expect(new Set(asked)).toEqual(new Set(given.map(([name]) => name)));
    expect(given.map(([, value]) => value)).toEqual(['', '']);
    const values = compose.matchAll(/(?:SECRET_KEY|PASSWORD): (.*)/g);
    for (const [, value] of values) expect(value).toMatch(/^\$\{\w+:\?[^}]+\}$/);
    expect(read('.gitignore').split('\n')).toContain('compose.env');
  });

  it('mounts what is there', () => {
    const mounts = [...compose.matchAll(/'(\.\/[^:']+):/g)].map(([, path = '']) => path);
    expect(mounts).toEqual(['./docker/nginx.conf']);
    for (const path of mounts) expect(statSync(path).isFile()).toBe(true);
  });

  it('has a proxy that overwrites what clients say of their address', () => {
    const proxy = read('docker/nginx.conf');
    expect(proxy).toMatch(/^ *proxy_set_header X-Forwarded-For \$remote_addr;$/m);
    expect(compose).toMatch(/^ *TRUST_PROXY: \$\{TRUST_PROXY:-1\}$/m);
    const servers = [...proxy.matchAll(/^ *server (latchkey-\d):3000 /gm)].map(([, name]) => name);
    const services = [...compose.matchAll(/^ {2}(latchkey-\d): \*latchkey$/gm)];
    expect(servers).toEqual(services.map(([, name]) => name));
  });
});

describe('an instance of compose.yaml', () => {
  const compose = read('compose.yaml');
  const [, block = ''] = /^x-latchkey: [^\n]*\n((?: {2}[^\n]*\n)+)/m.exec(compose) ?? [];

  /** The environment that docker compose gives the container: `env_file`, and `environment` over it. */
  function environmentOf(composeEnv: string): Record<string, string> {
    const lines = [...composeEnv.matchAll(/^(\w+)=(.*)$/gm)];
    const file = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
    expect(block).toMatch(/^ {2}env_file: \[compose\.env\]$/m);
    const [, listed = ''] = /^ {2}environment:\n((?: {4}[^\n]*\n)+)/m.exec(block) ?? [];
    const fixed = [...listed.matchAll(/^ {4}(\w+): (.*)$/gm)].map(([, name = '', value = '']) => {
      const filled = value.replaceAll(
        /\$\{(\w+)(?::([?-])([^}]*))?\}/g,
        (_all, key: string, kind?: string, other?: string) =>
          file[key] ?? (kind === '-' ? (other ?? '') : ''),
      );
      return [name, filled];
    });
    const ofImage = of('ENV').at(-1)?.split(' ') ?? [];
    return {
      ...(Object.fromEntries(ofImage.map((pair) => pair.split('='))) as Record<string, string>),
      ...file,
      ...(Object.fromEntries(fixed) as Record<string, string>),
    };
  }

  const filled = (...more: string[]) =>
    [
      read('compose.env.example')
        .replace('JWT_SECRET_KEY=', `JWT_SECRET_KEY=${randomBytes(48).toString('base64')}`)
        .replace('POSTGRES_PASSWORD=', `POSTGRES_PASSWORD=${randomBytes(24).toString('hex')}`),
      ...more,
    ].join('\n');

  it('starts with the example once the two secrets are set, in production', () => {
    const { POSTGRES_PASSWORD, ...env } = environmentOf(filled());
    const config = Config.load(env);
    expect(config.production).toBe(true);
    expect(config.trustProxy).toBe(1);
    expect(config.databaseUrl).toBe(
      `postgres://latchkey:${POSTGRES_PASSWORD ?? ''}@postgres:5432/latchkey`,
    );
    // Without SMTP_URL mail is written to `data`, on a volume, as the root is read-only.
    expect(block).toMatch(/^ {2}read_only: true$/m);
    expect(block).toMatch(/^ {2}volumes: \['latchkey:\/app\/data'\]$/m);
  });

  it('gets the settings of mail when the example’s lines are taken in', () => {
    const env = environmentOf(filled().replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
    const { mail, publicUrl } = Config.load(env);
    expect(mail.smtp?.host).toBe('smtp.example.com');
    expect(publicUrl).toMatch(/^https:\/\/accounts\.example\.com\/?$/);
  });

  it('gets every setting that compose.env names', () => {
    const env = environmentOf(filled(...settingNames().map((name) => `${name}=canary of ${name}`)));
    const fixed = ['DATABASE_URL', 'REDIS_URL', 'HOST', 'PORT'];
    for (const name of settingNames().filter((key) => !fixed.includes(key))) {
      expect(env[name]).toBe(`canary of ${name}`);
    }
  });
});
