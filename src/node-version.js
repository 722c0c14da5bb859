// @ts-check
/**
 * Plain JavaScript without newer syntax or imports: an old Node has to get as far as the sentence.
 * The server, the scripts and the tests all ask here first.
 */

/** The oldest Node that runs Latchkey; `engines` in package.json says the same. */
const OLDEST = { major: 20, minor: 19 };

/**
 * Returns the sentence that refuses a version of Node, or `undefined` for one that is new enough.
 *
 * @param {string} version such as `20.19.0`
 */
export function refusalOf(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return undefined;
  return `Latchkey needs Node.js ${OLDEST.major}.${OLDEST.minor} or later; this is ${version}.`;
}

/** Ends the process with a sentence if this Node is too old. */
export function expectSupportedNode() {
  const refusal = refusalOf(process.versions.node);
  if (refusal === undefined) return;
  console.error(refusal);
  process.exit(1);
}
