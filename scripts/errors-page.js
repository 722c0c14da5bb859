/** A row of a Markdown table, as the formatter pads it. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}

/** The next step of a client after a refusal of its access token, by the reason of the refusal. */
const NEXT_STEP = {
  missing: 'send an access token',
  invalid: 'mend the request: another try fails as well',
  expired: 'refresh, or sign in',
  ended: 'refresh, or sign in',
};

/**
 * Returns the text of `docs/errors.md`.
 *
 * @param errors the table of codes: the status and the sentence of each
 * @param errorOf makes the error of a code, which knows its headers and the reason of a refused token
 */
export function errorsPage(errors, errorOf) {
  const rows = Object.entries(errors).map(([code, [status, sentence]]) => {
    const { tokenRefusal, headers } = errorOf(code);
    const next = NEXT_STEP[tokenRefusal] ?? ('Retry-After' in headers ? 'try again later' : '');
    return [`\`${code}\``, String(status), sentence.replace(/[<|*]/g, '\\$&'), next];
  });
  return `# Errors

Every error has a JSON body, from every layer of the server:

\`\`\`json
{ "msg": "The password is not strong enough", "code": "weak_password" }
\`\`\`

- Rely on \`code\`. It never changes. \`msg\` is a sentence for people and may change.
- If several fields are wrong, \`errors\` lists them: \`[{ "path": "email", "msg": "…" }]\`.
- A route may give a sentence of its own, such as the reason why a password is weak.
- A 401 of a guarded route has the header \`WWW-Authenticate\`
  ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)). After \`reauthentication_required\` it asks for a recent
  sign-in ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
- A 429 has \`Retry-After\`. Beyond a rate limit it also has \`RateLimit\` and \`RateLimit-Policy\`: see [limits](limits.md).
- \`JWT_INVALID_TOKEN_STATUS\` changes the status of malformed and forged tokens. A project's hooks can replace
  the answers for missing, expired and invalid tokens.

The log has the cause of a 500: search it for the answer's \`X-Request-Id\`.

\`node scripts/generate-docs.js\` writes this page from the table in \`src/common/api-error.ts\`.

${table([['Code', 'Status', 'Sentence', 'Next step of the client'], ...rows])}
`;
}
