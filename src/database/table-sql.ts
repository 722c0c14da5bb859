import type { EntityManager, EntityMetadata, EntityTarget, ObjectLiteral } from 'typeorm';

/**
 * SQL for the statements of every sign-in, and the way between their rows and entities. TypeORM builds each of
 * its statements anew, which takes the server longer than the database needs for them.
 */
export class TableSql<T extends ObjectLiteral> {
  private static readonly known = new WeakMap<EntityMetadata, TableSql<never>>();
  private readonly lists = new Map<string, string>();
  private readonly columns: EntityMetadata['columns'];
  private readonly insertion: string;

  private constructor(private readonly metadata: EntityMetadata) {
    this.columns = metadata.columns.filter(({ isVirtualProperty }) => !isVirtualProperty);
    const names = this.columns.map(({ databaseName }) => databaseName).join(', ');
    const values = this.columns.map((_column, index) => `$${index + 1}`).join(', ');
    this.insertion = `INSERT INTO ${metadata.tableName} (${names}) VALUES (${values})`;
  }

  /** Returns the SQL for the table of an entity. */
  static of<T extends ObjectLiteral>(manager: EntityManager, entity: EntityTarget<T>): TableSql<T> {
    const metadata = manager.connection.getMetadata(entity);
    const found = this.known.get(metadata) as TableSql<T> | undefined;
    const table = found ?? new TableSql<T>(metadata);
    if (!found) this.known.set(metadata, table as TableSql<never>);
    return table;
  }

  /** Returns what a `SELECT` has to list for {@link read}, of a table that it names `alias`. */
  list(alias: string): string {
    const known = this.lists.get(alias);
    if (known !== undefined) return known;
    const list = this.metadata.columns
      .map(({ databaseName: name, query }) => {
        const value = query ? `(${query(alias)})` : `${alias}.${name}`;
        return `${value} AS ${alias}_${name}`;
      })
      .join(', ');
    this.lists.set(alias, list);
    return list;
  }

  /** Returns the entity in a row of a `SELECT` with the {@link list} of `alias`. */
  read(row: Record<string, unknown>, alias: string): T {
    const { driver } = this.metadata.connection;
    const entity = this.metadata.create() as T;
    for (const column of this.metadata.columns) {
      const value: unknown = row[`${alias}_${column.databaseName}`];
      column.setEntityValue(entity, driver.prepareHydratedValue(value, column));
    }
    return entity;
  }

  /** Inserts an entity with all its columns. */
  async insert(manager: EntityManager, entity: T): Promise<void> {
    const { driver } = manager.connection;
    const values = this.columns.map((column) => {
      const value: unknown = driver.preparePersistentValue(column.getEntityValue(entity), column);
      return value ?? null;
    });
    await manager.query(this.insertion, values);
  }
}

/** Runs an `UPDATE` or a `DELETE` in the transaction of `manager`. Resolves to the number of its rows. */
export async function changedRows(
  manager: EntityManager,
  sql: string,
  parameters: unknown[],
): Promise<number> {
  // On SQLite a data source has one runner, which the manager does not name.
  const runner = manager.queryRunner ?? manager.connection.createQueryRunner();
  const { affected } = await runner.query(sql, parameters, true);
  return affected ?? 0;
}
