import { join, relative } from 'node:path';
import ts from 'typescript';
import { ROOMS } from './support/rooms.js';

/** The capabilities, each with the other capabilities that it needs. The rest is the core. */
const NEEDS: Record<string, string[]> = {
  account: [],
  'account-pages': ['pages', 'account', 'factors', 'totp', 'passkeys', 'recovery'],
  admin: ['recovery'],
  'audit-chain': [],
  factors: [],
  'mail-sign-in': [],
  observability: [],
  passkeys: ['factors'],
  openapi: [],
  pages: ['factors', 'passkeys', 'mail-sign-in', 'recovery'],
  operations: ['audit-chain'],
  recovery: [],
  totp: ['factors'],
  webhooks: [],
};

/** Files beside the rooms that go with a capability. */
const ALSO_REMOVED: Record<string, string[]> = { operations: ['latchkey.ts', 'commands.ts'] };

/** The files at the top that have a line for a capability. */
const WITH_LINES = ['app.setup.ts', 'commands.ts', 'latchkey.module.ts', 'tables.ts'];

const src = join(process.cwd(), 'src');
const config = ts.readConfigFile('tsconfig.build.json', (file) => ts.sys.readFile(file));
const { options, fileNames } = ts.parseJsonConfigFileContent(config.config, ts.sys, '.');
const settings = { ...options, noEmit: true, types: ['node'] };
const parsed = new Map<string, ts.SourceFile | undefined>();

const isCapability = (room: string): boolean => room in NEEDS;
const roomOf = (file: string): string => relative(src, file).split('/')[0] ?? '';

/** Returns the capability and all that need it. */
function withNeeding(capability: string): string[] {
  const needing = Object.keys(NEEDS).filter((one) => NEEDS[one]?.includes(capability));
  return [capability, ...needing.flatMap(withNeeding)];
}

/** Removes the imports from rooms, and the lines of lists that have an imported name alone. */
function withoutLines(text: string, rooms: string[]): string {
  const names: string[] = [];
  const kept = text.replace(
    /^import (?:type )?\{([^}]*)\} from '\.\/([\w-]+)\/[^']*';\n/gm,
    (line, imported: string, room: string) => {
      if (!rooms.includes(room)) return line;
      names.push(...imported.split(',').map((name) => name.trim()));
      return '';
    },
  );
  return kept
    .split('\n')
    .filter((line) => !names.includes(line.trim().replace(/,$/, '')))
    .join('\n');
}

/** Type-checks the sources without these rooms and their lines. Returns the errors. */
function errorsWithout(capability: string, rooms: string[]): string[] {
  const gone = new Set(rooms.flatMap((room) => ALSO_REMOVED[room] ?? []));
  const isGone = (file: string): boolean =>
    file.startsWith(src) && (rooms.includes(roomOf(file)) || gone.has(relative(src, file)));
  const isEdited = (file: string): boolean =>
    file.startsWith(src) && WITH_LINES.includes(relative(src, file));
  const whole = ts.createCompilerHost(settings, true);
  const host = { ...whole };
  host.fileExists = (file) => !isGone(file) && whole.fileExists(file);
  host.getSourceFile = (file, ...rest) => {
    if (isEdited(file)) {
      const text = withoutLines(ts.sys.readFile(file) ?? '', rooms);
      return ts.createSourceFile(file, text, rest[0], true);
    }
    if (!parsed.has(file)) parsed.set(file, whole.getSourceFile(file, ...rest));
    return parsed.get(file);
  };
  const rootNames = fileNames.map((file) => join(process.cwd(), relative(process.cwd(), file)));
  const program = ts.createProgram({
    rootNames: rootNames.filter((file) => !isGone(file)),
    options: settings,
    host,
  });
  // Only these can have an error that the whole sources do not have.
  const touched = program.getSourceFiles().filter((file) => {
    if (!file.fileName.startsWith(src)) return false;
    return isEdited(file.fileName) || rooms.some((room) => file.text.includes(`/${room}/`));
  });
  expect([capability, touched.length > 0]).toEqual([capability, true]);
  return touched
    .flatMap((file) => [...program.getSemanticDiagnostics(file)])
    .map(({ file, messageText }) => {
      const where = relative(src, file?.fileName ?? '');
      return `${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
}

it('names rooms alone', () => {
  expect(Object.keys(NEEDS).filter((room) => !(room in ROOMS))).toEqual([]);
});

it('lets a capability import the capabilities that it needs, and the core none', () => {
  const wrong = Object.entries(ROOMS).flatMap(([room, imports]) =>
    imports
      .filter((other) => isCapability(other) && other !== room && !NEEDS[room]?.includes(other))
      .map((other) => `${room} may import ${other}`),
  );
  expect(wrong).toEqual([]);
});

it.each(Object.keys(NEEDS))(
  'compiles without %s',
  (capability) => {
    expect(errorsWithout(capability, withNeeding(capability))).toEqual([]);
  },
  120_000,
);
