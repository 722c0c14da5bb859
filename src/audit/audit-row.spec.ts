import { validate, version } from 'uuid';
import { auditRow } from './audit-row.js';

const context = { actorId: null, address: null, userAgent: null, impersonatorId: null } as never;
const idAt = (time: number) =>
  auditRow({ action: 'login_failed', subjectId: null }, context, new Date(time)).id;

it('gives rows ids of version 7 with their time', () => {
  const id = idAt(0x0199_1234_5678);
  expect([validate(id), version(id), id.slice(0, 13)]).toEqual([true, 7, '01991234-5678']);
});

it('orders the ids of one millisecond, and those of later ones after them', () => {
  const ids = [...Array.from({ length: 5_000 }, () => idAt(1_000)), idAt(1_001), idAt(1_002)];
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});
