import { readFileSync } from 'node:fs';
import { refusalOf } from './node-version.js';

it('refuses an older Node in a sentence, and takes the oldest that package.json names', () => {
  const refusals = ['18.20.8', '20.18.3', '21.0.0', '20.19.0', '26.1.0'].map(refusalOf);
  expect(refusals).toEqual([
    'Latchkey needs Node.js 20.19 or later; this is 18.20.8.',
    'Latchkey needs Node.js 20.19 or later; this is 20.18.3.',
    undefined,
    undefined,
    undefined,
  ]);
  expect(readFileSync('package.json', 'utf8')).toContain('"node": ">=20.19.0"');
});
