import { lazyPackage } from './lazy-package.js';

/** TypeORM loads the CommonJS form anyway; `import` would load the package a second time. */
const uuid = lazyPackage('uuid') as () => typeof import('uuid');

/** Tells whether a text is a UUID of any version (RFC 9562). */
export const isUuid = (text: unknown): boolean => uuid().validate(text);

/** Returns a UUID of version 7 (RFC 9562, section 5.7) for a time in milliseconds and a counter. */
export const uuidV7 = (of: { msecs: number; seq: number }): string => uuid().v7(of);
