import pg from 'pg';

/**
 * Runs a statement on a PostgreSQL server, on a connection of its own. JavaScript: what Jest calls before and
 * after all tests is not compiled.
 *
 * @param {string | undefined} url
 * @param {string} statement
 * @returns {Promise<unknown[]>} the rows
 */
export async function onServer(url, statement) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
