/** The most roles that one user may have: access tokens carry them, in a header of bounded size. */
export const MOST_ROLES = 64;

/** Says what {@link isRoleName} asks for. */
export const ROLE_NAME_RULE =
  'The name of a role begins with a letter and has up to 64 letters, digits and any of .:-_';

/** Whether `text` may name a role, whichever way it comes in: by the API, the command line or an import. */
export const isRoleName = (text: string): boolean => /^[A-Za-z][\w.:-]{0,63}$/.test(text);
