/** The most roles of one user. Access tokens carry them, in a header of bounded size. */
export const MAX_ROLES = 64;

/** The rule of {@link isRoleName} in words. */
export const ROLE_NAME_RULE =
  'The name of a role begins with a letter and has up to 64 letters, digits and any of .:-_';

/** Tells whether `text` may name a role, for the API, the command line and imports. */
export const isRoleName = (text: string): boolean => /^[A-Za-z][\w.:-]{0,63}$/.test(text);
