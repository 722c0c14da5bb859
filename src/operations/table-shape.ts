import type { QueryRunner, Table, TableColumn } from 'typeorm';

/** The content of a column, independent of a database's name for its type. */
type Kind = 'text' | 'integer' | 'boolean' | 'bytes';

/** A table in the form that both databases have. */
export interface TableShape {
  name: string;
  columns: { name: string; kind: Kind }[];
  /** The columns of the primary key. */
  key: string[];
  /** The column that PostgreSQL fills from a sequence, if there is one. */
  counted: string | undefined;
  /** The tables that its foreign keys refer to. */
  parents: string[];
}

const KINDS: [RegExp, Kind][] = [
  [/^(varchar|character varying|character|char|text|uuid)$/, 'text'],
  [/^(smallint|integer|int|bigint)$/, 'integer'],
  [/^boolean$/, 'boolean'],
  [/^(blob|bytea)$/, 'bytes'],
];

/** A copy that cannot be made, or is not exact. The message gives the reason in a sentence. */
export class CopyError extends Error {}

/**
 * Returns the shapes of tables. Each one comes after the tables that its foreign keys refer to.
 *
 * @throws CopyError
 */
export async function tableShapes(runner: QueryRunner, names: string[]): Promise<TableShape[]> {
  const tables = await runner.getTables(names);
  return inOrder(tables.map(shapeOf).sort((a, b) => (a.name < b.name ? -1 : 1)));
}

function shapeOf(table: Table): TableShape {
  // On PostgreSQL the name includes a schema, if it is not the usual one.
  const bare = (name: string) => name.slice(name.lastIndexOf('.') + 1);
  const name = bare(table.name);
  const key = table.primaryColumns.map((column) => column.name);
  if (key.length === 0) throw new CopyError(`Table ${name} has no primary key`);
  return {
    name,
    columns: table.columns.map((column) => ({ name: column.name, kind: kindOf(name, column) })),
    key,
    counted: table.columns.find(({ generationStrategy }) => generationStrategy === 'increment')
      ?.name,
    parents: table.foreignKeys.map(({ referencedTableName }) => bare(referencedTableName)),
  };
}

function kindOf(table: string, { name, type }: TableColumn): Kind {
  const kind = KINDS.find(([types]) => types.test(type))?.[1];
  if (kind) return kind;
  throw new CopyError(`Column ${table}.${name} is of the type ${type}: cannot be copied`);
}

function inOrder(shapes: TableShape[]): TableShape[] {
  const ordered: TableShape[] = [];
  const left = new Set(shapes);
  while (left.size > 0) {
    const waiting = new Set([...left].map(({ name }) => name));
    const next = [...left].find(({ parents }) => !parents.some((parent) => waiting.has(parent)));
    if (!next) {
      throw new CopyError(`Tables refer to each other: ${[...waiting].join(', ')}`);
    }
    left.delete(next);
    ordered.push(next);
  }
  return ordered;
}
