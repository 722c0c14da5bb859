import type { Language, Texts } from '../html/language.js';

/** The ways to prove an identity, in words. */
type Method = 'password' | 'app' | 'passkey' | 'recoveryCode' | 'mail' | 'provider';

/** The words for the names of RFC 8176 and Latchkey's own. `user` and `mfa` say no more than the others. */
const METHODS: Record<string, Method | undefined> = {
  pwd: 'password',
  otp: 'app',
  hwk: 'passkey',
  swk: 'passkey',
  recovery: 'recoveryCode',
  mail: 'mail',
  fed: 'provider',
};

const METHOD_TEXTS: Texts<Record<Method, string>> = {
  en: {
    password: 'password',
    app: 'code from an app',
    passkey: 'passkey',
    recoveryCode: 'recovery code',
    mail: 'code by mail',
    provider: 'another service',
  },
  de: {
    password: 'Passwort',
    app: 'Code aus einer App',
    passkey: 'Passkey',
    recoveryCode: 'Wiederherstellungscode',
    mail: 'Code per Mail',
    provider: 'anderer Dienst',
  },
};

/** Returns proven methods in words, such as "password, code from an app". */
export function methodsInWords(amr: readonly string[], language: Language): string {
  const methods = new Set(amr.flatMap((name) => METHODS[name] ?? []));
  return [...methods].map((method) => METHOD_TEXTS[language][method]).join(', ');
}
