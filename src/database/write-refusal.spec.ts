import { DataSource } from 'typeorm';
import { refuseWrites } from './write-refusal.js';

let reader: DataSource;
beforeAll(async () => {
  reader = await new DataSource({ type: 'sqlite', database: ':memory:' }).initialize();
  refuseWrites(reader);
});
afterAll(() => reader.destroy());

it('still reads and refuses writes after more reads than a stack has room for', async () => {
  // TypeORM gives the same runner each time on SQLite.
  for (let count = 0; count < 50_000; count++) reader.createQueryRunner();
  expect(await reader.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await expect(reader.query('DELETE FROM users')).rejects.toThrow('Database.write');
});
