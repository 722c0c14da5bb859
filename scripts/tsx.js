import { readFileSync } from 'node:fs';

const { jsc, ...options } = JSON.parse(readFileSync(new URL('../.swcrc', import.meta.url), 'utf8'));

/** The compiler's options for sources with elements (`.tsx`). Those of all others are in `.swcrc`. */
export const tsx = {
  ...options,
  swcrc: false,
  jsc: {
    ...jsc,
    parser: { ...jsc.parser, tsx: true },
    transform: { ...jsc.transform, react: { runtime: 'automatic', importSource: 'preact' } },
  },
};
