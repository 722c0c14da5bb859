import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Lets parts of libraries load when they are first used, though the libraries load them at once: TypeORM the drivers
 * of 17 databases, and prom-client OpenTelemetry. They are a twentieth of a start, and 7 MB.
 *
 * Each file stands in `require.cache` as an object that loads the file when a property of it is read. So a project may
 * still use all of them. The server imports this module before all libraries.
 */
const require = createRequire(import.meta.url);

/** TypeORM's drivers of databases that Latchkey does not use. */
const DRIVERS = [
  'aurora-mysql/AuroraMysqlDriver',
  'aurora-postgres/AuroraPostgresDriver',
  'better-sqlite3/BetterSqlite3Driver',
  'capacitor/CapacitorDriver',
  'cockroachdb/CockroachDriver',
  'cordova/CordovaDriver',
  'expo/ExpoDriverFactory',
  'mongodb/MongoDriver',
  'mysql/MysqlDriver',
  'nativescript/NativescriptDriver',
  'oracle/OracleDriver',
  'react-native/ReactNativeDriver',
  'sap/SapDriver',
  'spanner/SpannerDriver',
  'sqljs/SqljsDriver',
  'sqlserver/SqlServerDriver',
];

/** Packages that TypeORM needs to read entities from folders and to format statements in its log. */
const OF_TYPEORM = ['glob', '@sqltools/formatter'];

const typeorm = require.resolve('typeorm');
for (const driver of DRIVERS) loadLater(join(dirname(typeorm), 'driver', `${driver}.js`));
for (const name of OF_TYPEORM) loadLater(found(name, typeorm));
loadLater(found('@opentelemetry/api', found('prom-client')));

/** Returns the file of a package, as another file would load it. Undefined if there is none, as in later versions. */
function found(name: string, from: string | undefined = import.meta.url): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
}

/** Lets a CommonJS file that was compiled from an ES module load at the first look at its exports. */
function loadLater(file: string | undefined): void {
  if (file === undefined || require.cache[file]) return;
  const load = (): object => {
    if (require.cache[file] === late) Reflect.deleteProperty(require.cache, file);
    return require(file) as object;
  };
  const late = Object.assign(new Module(file), { filename: file, loaded: true });
  late.exports = new Proxy(
    {},
    {
      // What TypeScript's helpers ask while they import the file.
      get: (_, key) => key === '__esModule' || (Reflect.get(load(), key) as unknown),
      has: (_, key) => Reflect.has(load(), key),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, key) => {
        const found = Reflect.getOwnPropertyDescriptor(load(), key);
        return found && { ...found, configurable: true };
      },
    },
  );
  require.cache[file] = late;
}
