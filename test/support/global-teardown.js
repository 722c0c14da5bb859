import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { onServer } from './on-server.js';

/** Removes what databases were copied from. */
export default async function removeTemplates() {
  const { TEST_DATABASE_URL: url, TEST_TEMPLATE: name, TEST_SQLITE_TEMPLATE: file } = process.env;
  if (file) rmSync(dirname(file), { recursive: true });
  if (name) await onServer(url, `DROP DATABASE ${name} WITH (FORCE)`);
}
