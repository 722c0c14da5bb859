import { canonicalAddress, forwardedAddresses, isLoopback, networkOf } from './network.js';

describe('networkOf', () => {
  it.each([
    ['IPv4', '203.0.113.7', '203.0.113.7'],
    ['IPv4 with a port', '203.0.113.7:4711', '203.0.113.7'],
    ['IPv4 mapped into IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
    ['the same in hexadecimal', '::FFFF:cb00:7107', '203.0.113.7'],
    ['the same written out', '0:0:0:0:0:ffff:cb00:7107', '203.0.113.7'],
    ['IPv6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['IPv6 in capitals with zeros', '2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['IPv6 whose first half has a gap', '2001:db8::1', '2001:db8:0:0::/64'],
    ['IPv6 with a gap at the end', '2001:db8:1:2:3::', '2001:db8:1:2::/64'],
    ['IPv6 with brackets and a port', '[2001:db8:1:2::5]:443', '2001:db8:1:2::/64'],
    ['IPv6 with a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['the loopback', '::1', '0:0:0:0::/64'],
  ])('takes %s', (_what, address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '203.0.113',
    '203.0.113.7.8',
    '2001:db8',
    'a b',
    '1.2.3.4\0',
    '1.2.3.4%eth0',
    '1.2.3.4:',
    '1.2.3.4:123456',
    '010.0.0.1',
    '[2001:db8::1',
    '[2001:db8::1]443',
    '2001:db8::1:40001',
    'for=192.0.2.60;proto=http',
  ])('knows that %j is no address', (text) => {
    expect(networkOf(text)).toBeUndefined();
  });
});

describe('canonicalAddress', () => {
  it.each([
    ['203.0.113.7:40001', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['2001:0DB8:0:0::0001', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[fe80::1%25eth0]:443', 'fe80::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('gives %s the form %s', (text, address) => {
    expect(canonicalAddress(text)).toBe(address);
    expect(canonicalAddress(address)).toBe(address);
  });
});

describe('forwardedAddresses', () => {
  it.each([
    ['203.0.113.7:40001, 10.0.0.6:443', ['203.0.113.7', '10.0.0.6']],
    [' [2001:db8::1]:443 ,, ::ffff:10.0.0.6', ['2001:db8::1', '10.0.0.6']],
    ['198.51.100.1, unknown, 203.0.113.7, 10.0.0.6', ['203.0.113.7', '10.0.0.6']],
    ['203.0.113.7, for=192.0.2.60', []],
    ['', []],
  ])('reads %j as %j', (header, addresses) => {
    expect(forwardedAddresses(header)).toEqual(addresses);
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])(
    'says yes to %s',
    (address) => {
      expect(isLoopback(address)).toBe(true);
    },
  );

  it.each(['128.0.0.1', '10.0.0.1', '::2', '::ffff:10.0.0.1', '::', '', 'localhost'])(
    'says no to %j',
    (address) => {
      expect(isLoopback(address)).toBe(false);
    },
  );
});
