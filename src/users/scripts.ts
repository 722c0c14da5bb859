/** The scripts of most names first, then all others, by their ISO 15924 codes. */
const SCRIPTS =
  'Latn Hani Hira Kana Hang Cyrl Arab Grek Hebr Thai Deva Armn Geor Bopo Adlm Aghb Ahom Armi ' +
  'Avst Bali Bamu Bass Batk Beng Berf Bhks Brah Brai Bugi Buhd Cakm Cans Cari Cham Cher Chrs ' +
  'Copt Cpmn Cprt Diak Dogr Dsrt Dupl Egyp Elba Elym Ethi Gara Glag Gong Gonm Goth Gran Gujr ' +
  'Gukh Guru Hano Hatr Hluw Hmng Hmnp Hung Ital Java Kali Kawi Khar Khmr Khoj Kits Knda Krai ' +
  'Kthi Lana Laoo Lepc Limb Lina Linb Lisu Lyci Lydi Mahj Maka Mand Mani Marc Medf Mend Merc ' +
  'Mero Miao Mlym Modi Mong Mroo Mtei Mult Mymr Nagm Nand Narb Nbat Newa Nkoo Nshu Ogam Olck ' +
  'Onao Orkh Orya Osge Osma Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr ' +
  'Samr Sarb Saur Sgnw Shaw Shrd Sidd Sidt Sind Sinh Sogd Sogo Sora Soyo Sund Sunu Sylo Syrc ' +
  'Tagb Takr Tale Talu Taml Tang Tavt Tayo Telu Tfng Tglg Thaa Tibt Tirh Tnsa Todr Tols Toto ' +
  'Tutg Ugar Vaii Vith Wara Wcho Xpeo Xsux Yezi Yiii Zanb';

/** Scripts that may be combined, beside Latin (UTS 39, section 5.2, level 3: highly restrictive). */
const TOGETHER = [
  ['Latn', 'Hani', 'Hira', 'Kana'],
  ['Latn', 'Hani', 'Hang'],
  ['Latn', 'Hani', 'Bopo'],
];

/**
 * Patterns for names wholly in scripts that may be combined. They are made for the first name that is not
 * ASCII.
 */
let whole: RegExp[] | undefined;

/** Tells whether a name has one script, or scripts that may be combined. A name in ASCII always has. */
export function isHighlyRestrictive(name: string): boolean {
  if (/^\p{ASCII}*$/u.test(name)) return true;
  whole ??= [...SCRIPTS.split(' ').map((script) => [script]), ...TOGETHER].flatMap(whollyIn);
  return whole.some((pattern) => pattern.test(name));
}

/** Tells whether all digits of a name belong to one system. In Unicode, digits follow their zero. */
export function hasDigitsOfOneSystem(name: string): boolean {
  const digits = name.match(/\p{Nd}/gu) ?? [];
  return new Set(digits.map(zeroOf)).size <= 1;
}

function zeroOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return zero;
}

/** The list is empty if this Node does not know the script yet. */
function whollyIn(scripts: string[]): RegExp[] {
  const letters = [...scripts, 'Zyyy', 'Zinh'].map((script) => `\\p{scx=${script}}`);
  try {
    return [new RegExp(`^[${letters.join('')}]*$`, 'u')];
  } catch {
    return [];
  }
}
