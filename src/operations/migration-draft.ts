import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';

/** A step of a migration, by TypeORM's schema API, and the step back. */
interface Step {
  up: string;
  down: string;
}

/** The methods of a query runner whose second argument is a list of parts of a table, and their opposites. */
const PARTS: Record<string, { kind: string; opposite: string }> = {
  addColumns: { kind: 'TableColumn', opposite: 'dropColumns' },
  dropColumns: { kind: 'TableColumn', opposite: 'addColumns' },
  createIndices: { kind: 'TableIndex', opposite: 'dropIndices' },
  dropIndices: { kind: 'TableIndex', opposite: 'createIndices' },
  createForeignKeys: { kind: 'TableForeignKey', opposite: 'dropForeignKeys' },
  dropForeignKeys: { kind: 'TableForeignKey', opposite: 'createForeignKeys' },
  createUniqueConstraints: { kind: 'TableUnique', opposite: 'dropUniqueConstraints' },
  dropUniqueConstraints: { kind: 'TableUnique', opposite: 'createUniqueConstraints' },
};

/** The column types with one meaning in SQLite and PostgreSQL. */
const TYPES = /^(varchar|text|char|smallint|integer|int|bigint|boolean|real|decimal|numeric)$/;

/**
 * Compares the entities with the tables that the migrations make. `options` name an empty SQLite database
 * for this. TypeORM's own comparison gives the SQL of one database. This one gives the calls behind it,
 * which run on both.
 *
 * @returns the source of a migration, and its steps in a line each; undefined if there is no difference
 * @throws Error with a sentence, if a step has to be written by hand
 */
export async function draftMigration(
  options: DataSourceOptions,
  className: string,
): Promise<{ source: string; steps: string[] } | undefined> {
  const dataSource = await new DataSource(options).initialize();
  try {
    await dataSource.runMigrations();
    const steps: Step[] = [];
    const create = dataSource.createQueryRunner.bind(dataSource);
    dataSource.createQueryRunner = (mode) => recording(create(mode), steps);
    await dataSource.driver.createSchemaBuilder().log();
    if (steps.length === 0) return undefined;
    return { source: sourceOf(className, steps), steps: steps.map(({ up }) => headline(up)) };
  } finally {
    await dataSource.destroy();
  }
}

/** Returns a query runner that records changes of the schema. */
function recording(runner: QueryRunner, steps: Step[]): QueryRunner {
  return new Proxy(runner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...values: unknown[]): unknown => {
        const step = stepOf(String(name), values);
        if (step) steps.push(step);
        return value.apply(target, values) as unknown;
      };
    },
  });
}

function stepOf(method: string, [table, change]: unknown[]): Step | undefined {
  const name = literal(
    typeof table === 'string' ? table : (table as { name: string } | undefined)?.name,
  );
  const part = PARTS[method];
  if (part) {
    const list = (change as object[]).map((one) => made(part.kind, one)).join(', ');
    const call = (what: string) => `await runner.${what}(${name}, [${list}]);`;
    return { up: call(method), down: call(part.opposite) };
  }
  if (method === 'createTable') {
    const up = `await runner.createTable(${made('Table', table as object)}, false, false);`;
    return { up, down: `await runner.dropTable(${name});` };
  }
  if (method === 'changeColumns') {
    const pairs = change as { oldColumn: object; newColumn: object }[];
    const call = (from: 'oldColumn' | 'newColumn', to: 'oldColumn' | 'newColumn') => {
      const list = pairs.map((pair) => {
        const [before, after] = [made('TableColumn', pair[from]), made('TableColumn', pair[to])];
        return `{ oldColumn: ${before}, newColumn: ${after} }`;
      });
      return `await runner.changeColumns(${name}, [${list.join(', ')}]);`;
    };
    return { up: call('oldColumn', 'newColumn'), down: call('newColumn', 'oldColumn') };
  }
  if (/^(drop|rename|change|update|add|create)[A-Z]/.test(method)) {
    throw new Error(`${method} of ${name} has to be written by hand`);
  }
  return undefined;
}

/** Returns `new TableColumn({ … })` or the like, without unset values. */
const made = (kind: string, value: object): string => `new ${kind}(${literal(value)})`;

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const column = value as { name?: string; type?: string; default?: unknown };
  const fields = Object.entries(value)
    .filter(([name, field]) => isSet(field) && name !== '@instanceof')
    .sort(([one], [other]) => Number(other === 'name') - Number(one === 'name'))
    .map(([name, field]) => `${name}: ${name === 'default' ? defaultOf(column) : literal(field)}`);
  if (column.type !== undefined && !TYPES.test(column.type)) {
    throw new Error(
      `Column ${column.name} is of the type ${column.type}, which only one of the databases has: write it by hand`,
    );
  }
  return `{ ${fields.join(', ')} }`;
}

const isSet = (field: unknown): boolean =>
  field !== undefined &&
  field !== null &&
  field !== false &&
  field !== '' &&
  typeof field !== 'function' &&
  !(Array.isArray(field) && field.length === 0);

/**
 * Returns the code of a default. Each database has its own words for a boolean's default, and compares by
 * them.
 */
function defaultOf({ type, default: value }: { type?: string; default?: unknown }): string {
  if (type !== 'boolean') return literal(value);
  const words = /^'?(1|true)'?$/.test(String(value)) ? `'true' : '1'` : `'false' : '0'`;
  return `runner.connection.options.type === 'postgres' ? ${words}`;
}

function sourceOf(className: string, steps: Step[]): string {
  const ups = steps.map(({ up }) => `    ${up}`);
  const downs = steps.map(({ down }) => `    ${down}`).reverse();
  const body = [...ups, ...downs].join('\n');
  const kinds = ['Table', 'TableColumn', 'TableForeignKey', 'TableIndex', 'TableUnique'];
  const used = kinds.filter((kind) => body.includes(`new ${kind}(`));
  return `import { ${['type MigrationInterface', 'type QueryRunner', ...used].join(', ')} } from 'typeorm';

export class ${className} implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
${ups.join('\n')}
  }

  async down(runner: QueryRunner): Promise<void> {
${downs.join('\n')}
  }
}
`;
}

/** Returns a line that names a step and its table. */
function headline(step: string): string {
  const [, method = '', table = ''] =
    /runner\.(\w+)\((?:new Table\(\{ name: )?('[^']*')/.exec(step) ?? [];
  return `${method} ${table}`;
}
