import { lazyPackage } from '../common/lazy-package.js';

interface Lists {
  dictionary: Record<'diceware-common' | 'passwords-common', string[]>;
}

/** The lists. Unpacked, they take 8 MB and a twentieth of a start. */
const lists = lazyPackage('@zxcvbn-ts/language-common') as () => Lists;

/** Returns the 7,776 words of Diceware, in lower case. */
export const dicewareWords = (): string[] => lists().dictionary['diceware-common'];

/** Returns about 50,000 common passwords, in lower case. */
export const commonPasswords = (): string[] => lists().dictionary['passwords-common'];
