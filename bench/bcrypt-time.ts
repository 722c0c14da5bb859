/** Run as a program with a cost and a count: prints the mean milliseconds of one bcrypt hash. */
import bcrypt from 'bcrypt';

const [cost = 12, count = 8] = process.argv.slice(2).map(Number);
bcrypt.hashSync('warm up', 10);
const began = performance.now();
for (let i = 0; i < count; i++) bcrypt.hashSync('correct horse battery staple', cost);
console.log((performance.now() - began) / count);
