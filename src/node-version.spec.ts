import { readFileSync } from 'node:fs';
import { refusalOf } from './node-version.js';

it('refuses an old Node in a sentence, and takes those that package.json names', () => {
  expect(refusalOf('18.20.8')).toBe(
    'Latchkey needs Node.js 20 from 20.19 on, 22 from 22.13 on, or a newer one; this is 18.20.8.',
  );
  const refused = ['20.18.3', '20.19.0', '21.7.3', '22.12.0', '22.13.0', '23.0.0', '26.1.0'].filter(
    (version) => refusalOf(version) !== undefined,
  );
  expect(refused).toEqual(['20.18.3', '21.7.3', '22.12.0']);
  expect(readFileSync('package.json', 'utf8')).toContain('"node": "^20.19.0 || >=22.13.0"');
});
