import { prepareEmail } from './email.js';
import { mailboxKey } from './mailbox.js';

const keyOf = (email: string): string => {
  const prepared = prepareEmail(email);
  if (!prepared.ok) throw new Error(`${email}: ${prepared.reason}`);
  return mailboxKey(prepared.key);
};

it.each([
  ['ada@example.org', 'ada+1@example.org', 'ADA+x+y@Example.ORG'],
  ['ada@gmail.com', 'A.d.a@googlemail.com', 'a.da+news@gmail.com'],
  ['ada@münchen.example', 'ada+1@xn--mnchen-3ya.example', 'ada@MÜNCHEN.example'],
  ['ada@icloud.com', 'ada@me.com', 'ada+1@mac.com'],
  ['ada@proton.me', 'a.d-a@protonmail.com', 'a_da@pm.me'],
  ['ada-b@yandex.ru', 'ada.b@ya.ru', 'ada.b+1@yandex.com'],
  ['ada@yahoo.com', 'ada-shop@yahoo.com'],
  ['ada@yahoo.co.uk', 'ada-shop@yahoo.co.uk'],
  ['ada@fastmail.com', 'anything@ada.fastmail.com'],
  ['ada@example.org', 'ａｄａ@example.org'],
  ['+1@example.org', '+1+2@example.org'],
])('%s and %s are one mailbox', (...addresses) => {
  expect(new Set(addresses.map(keyOf)).size).toBe(1);
});

it.each([
  ['ada@example.org', 'ada@example.com'],
  ['ada@example.org', 'bob@example.org'],
  ['a.da@example.org', 'ada@example.org'],
  ['ada-b@example.org', 'ada-c@example.org'],
  ['+1@example.org', '+2@example.org'],
  ['a-b@yahoo.com', 'c-b@yahoo.com'],
  ['-a@yahoo.com', '-b@yahoo.com'],
])('%s and %s are two mailboxes', (one, other) => {
  expect(keyOf(one)).not.toBe(keyOf(other));
});
