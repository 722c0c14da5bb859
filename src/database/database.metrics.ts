import type { Metrics } from '../common/metrics.js';
import type { Database } from './database.js';

/** Adds metrics about the database's connections. */
export function measureDatabase(database: Database, metrics: Metrics): void {
  metrics.gauge({
    name: 'latchkey_database_connections',
    help: 'Open connections to the database',
    collect: () => database.use.connections,
  });
  metrics.gauge({
    name: 'latchkey_database_connections_idle',
    help: 'Open connections of the PostgreSQL pool that nobody uses',
    collect: () => database.use.idle,
  });
  metrics.gauge({
    name: 'latchkey_database_waiting',
    help: 'Requests that wait for a connection to PostgreSQL, or writes for their turn on SQLite',
    collect: () => database.use.waiting,
  });
}
