import type { Setting, SettingsSection } from './setting.js';

const HEAD = `# Settings

Latchkey reads its settings from the environment, and from a file \`.env\` in its folder; the environment has
priority. An empty value counts as not set. A time is a number of seconds, or has a unit: \`90s\`, \`15m\`, \`12h\`,
\`30d\`. A wrong value stops the start, which names each wrong setting. The start warns about a name that resembles
a setting, and about earlier settings.

\`node scripts/generate-docs.js\` writes this page and \`.env.example\` from the declarations in the code (\`src/config\` and
the folders of the capabilities). Edit the declarations, not this page.
`;

/** Returns the text of `docs/settings.md`. */
export function settingsPage(sections: readonly SettingsSection[]): string {
  const parts = sections.map(({ title, settings }) =>
    [`## ${title}\n`, ...Object.entries(settings).map(([name, one]) => entry(name, one))].join(
      '\n',
    ),
  );
  return [HEAD, ...parts.map((part) => `${part}\n`)].join('\n');
}

/** Returns the text of `.env.example`: each setting as a comment with its example. */
export function exampleFile(sections: readonly SettingsSection[]): string {
  const lines = sections.flatMap(({ title, settings }) => [
    '',
    `# ${title}`,
    ...Object.entries(settings).flatMap(([name, { example, command }]) => [
      ...(command === undefined ? [] : [`# ${command}`]),
      `#${name}=${example}`,
    ]),
  ]);
  const head =
    '# Copy this file to .env and change the lines you need. docs/settings.md describes them.';
  return `${[head, ...lines].join('\n')}\n`;
}

function entry(name: string, { schema, summary, needs }: Setting): string {
  const fallback = defaultOf(schema);
  const facts = [
    ...(fallback === undefined || fallback === '' ? [] : [`default \`${fallback}\``]),
    ...(needs === undefined ? [] : [`with \`${needs}\``]),
  ];
  return `- **\`${name}\`**${facts.length > 0 ? ` (${facts.join(', ')})` : ''}: ${summary}`;
}

/** Returns the default of a schema, which may stand inside a schema that transforms it. */
function defaultOf(schema: unknown): string | undefined {
  const { def } = schema as { def: { in?: unknown; innerType?: unknown; defaultValue?: unknown } };
  if ('defaultValue' in def) return String(def.defaultValue);
  const inner = def.in ?? def.innerType;
  return inner === undefined ? undefined : defaultOf(inner);
}
