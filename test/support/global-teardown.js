import { onServer } from './on-server.js';

/** Removes what databases were copied from. */
export default async function removeTemplate() {
  const { TEST_DATABASE_URL: url, TEST_TEMPLATE: name } = process.env;
  if (name) await onServer(url, `DROP DATABASE ${name} WITH (FORCE)`);
}
