import type { z } from 'zod';

/** A setting that is missing or wrong: its name and the expected value, never its own value. */
export interface SettingIssue {
  name: string;
  expected: string;
}

/** The declaration of one setting. `docs/settings.md` and `.env.example` are generated from it. */
export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Reads the text of the environment. Its default is the default of the setting. */
  schema: S;
  /** The effect of the setting in a sentence or two, in Markdown. */
  summary: string;
  /** The value in `.env.example`; empty for a secret. */
  example: string;
  /** A command that makes a value, for `.env.example`. */
  command?: string;
  /** The setting without which this one has no effect. */
  needs?: string;
  /** Set if the empty text is a value. Otherwise an empty text counts as not set. */
  mayBeEmpty?: true;
  /** Set if white space at the ends is part of the value. Latchkey refuses it there. */
  exact?: true;
  /** Set if the value may contain quotes and line breaks, such as a PEM. */
  multiline?: true;
}

/** Settings by name. */
export type Settings = Record<string, Setting>;

/** The values of settings, as their schemas return them. */
export type ValuesOf<T extends Settings> = { [K in keyof T]: z.output<T[K]['schema']> };

/** The circumstances in which a section is checked. */
export interface CheckContext {
  production: boolean;
  /** The texts of the environment, without white space at the ends and without empty values. */
  given: Readonly<Record<string, string | undefined>>;
}

/** Returns the faults of values that are right alone. */
export type Check<T extends Settings> = (
  values: ValuesOf<T>,
  context: CheckContext,
) => SettingIssue[];

/** A part of `docs/settings.md`, and the settings that `Config.of` reads at once. */
export interface SettingsSection<T extends Settings = Settings> {
  title: string;
  settings: T;
  check: Check<T> | undefined;
}

const sections: SettingsSection[] = [];

/** Returns a setting with the type of its schema. */
export const setting = <S extends z.ZodType>(declaration: Setting<S>): Setting<S> => declaration;

/**
 * Declares settings. A capability calls this in its own folder, in a file that its module imports, and reads
 * the values by `config.of(section)`. Each name is declared once.
 *
 * @throws Error if a name is declared already
 */
export function declareSettings<T extends Settings>(
  title: string,
  settings: T,
  check?: Check<T>,
): SettingsSection<T> {
  const known = new Set(settingNames());
  const twice = Object.keys(settings).find((name) => known.has(name));
  if (twice !== undefined) throw new Error(`The setting ${twice} is declared twice`);
  const section = { title, settings, check };
  // A check gets the values of its own schemas, whose types the list cannot hold.
  sections.push(section as unknown as SettingsSection);
  return section;
}

/** Returns the sections declared so far: those of the core first, in the order of their imports. */
export const declaredSections = (): readonly SettingsSection[] => sections;

/** Returns the names of all settings declared so far. */
export const settingNames = (): string[] =>
  sections.flatMap(({ settings }) => Object.keys(settings));

/** Returns the declaration of a setting; undefined if there is no such setting. */
export function settingOf(name: string): Setting | undefined {
  const section = sections.find(({ settings }) => Object.hasOwn(settings, name));
  return section?.settings[name];
}
