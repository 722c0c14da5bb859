// @ts-check
/**
 * Plain JavaScript without newer syntax or imports: an old Node has to get as far as the sentence.
 * The server, the scripts and the tests all ask here first.
 */

/**
 * Returns the sentence that refuses a version of Node, or `undefined` for one that runs Latchkey. It says the
 * same as `engines` in package.json.
 *
 * @param {string} version such as `20.19.0`
 */
export function refusalOf(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19))
    return undefined;
  return `Latchkey needs Node.js 20 from 20.19 on, 22 from 22.13 on, or a newer one; this is ${version}.`;
}

/** Ends the process with a sentence if this Node is too old. */
export function expectSupportedNode() {
  const refusal = refusalOf(process.versions.node);
  if (refusal === undefined) return;
  console.error(refusal);
  process.exit(1);
}
