import { createRequire } from 'node:module';

interface Lists {
  dictionary: Record<'diceware-common' | 'passwords-common', string[]>;
}

/** Loads the lists when they are first needed: unpacked, they take 8 MB and a twentieth of a start. */
const lists = (): Lists => createRequire(import.meta.url)('@zxcvbn-ts/language-common') as Lists;

/** Returns the 7,776 words of Diceware, in lower case. */
export const dicewareWords = (): string[] => lists().dictionary['diceware-common'];

/** Returns about 50,000 common passwords, in lower case. */
export const commonPasswords = (): string[] => lists().dictionary['passwords-common'];
