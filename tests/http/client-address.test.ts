import type { IncomingMessage } from 'node:http';
import { networkReader } from '../../src/http/client-address';

function network(
  remoteAddress: string,
  forwardedFor?: string,
  trustProxy: string | number | boolean = 'loopback',
) {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return networkReader({ trustProxy })({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);
}

describe('the network that a request comes from', () => {
  it.each<[string, string, string | undefined, string | undefined]>([
    ['an address', '203.0.113.9', undefined, '203.0.113.9'],
    ['an address of IPv4 on an IPv6 socket', '::ffff:203.0.113.9', undefined, '203.0.113.9'],
    ['this machine, which has no limits', '127.0.0.1', undefined, undefined],
    ['this machine by IPv6', '::1', undefined, undefined],
    ['whom the proxy on this machine names', '127.0.0.1', '203.0.113.9', '203.0.113.9'],
    [
      'whom it names last: the rest is the client’s own words',
      '127.0.0.1',
      '127.0.0.1, 198.51.100.7',
      '198.51.100.7',
    ],
    ['not whom a stranger names', '203.0.113.9', '127.0.0.1', '203.0.113.9'],
    ['at most what fits, where a proxy names no address', '127.0.0.1', 'x'.repeat(200), 'x'.repeat(64)],
  ])('is that of %s', (_what, remote, forwardedFor, expected) => {
    expect(network(remote, forwardedFor)).toBe(expected);
  });

  it('is the first 56 bits of an IPv6 address, however the rest is changed', () => {
    const one = network('2001:db8:1:2:3:4:5:6');
    expect(one).toBeDefined();
    expect(network('2001:db8:1:2ff::1')).toBe(network('2001:db8:1:200::9'));
    expect(network('2001:db8:1:3::1')).toBe(one);
    expect(network('2001:db8:1:1000::1')).not.toBe(one);
  });

  it('follows as many proxies as are trusted', () => {
    expect(network('10.0.0.1', '198.51.100.7, 203.0.113.9', 2)).toBe('198.51.100.7');
    expect(network('10.0.0.1', '198.51.100.7, 203.0.113.9', 1)).toBe('203.0.113.9');
    expect(network('10.0.0.1', '198.51.100.7', false)).toBe('10.0.0.1');
    expect(network('10.0.0.1', '198.51.100.7', '10.0.0.0/8')).toBe('198.51.100.7');
  });
});
