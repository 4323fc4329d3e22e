import type { IncomingMessage } from 'node:http';

import { describe, expect, test } from '@jest/globals';

import { clientAddressReader } from '../../src/http/client_address.ts';

/** A request as the reader looks at it. */
function requestFrom(peer: string, rawHeaders: readonly string[] = [], encrypted = false): IncomingMessage {
  return { socket: { remoteAddress: peer, encrypted }, rawHeaders } as unknown as IncomingMessage;
}

function ipOf(trusted: readonly string[], peer: string, ...forwarded: string[]): string {
  const rawHeaders = forwarded.flatMap((value) => ['X-Forwarded-For', value]);
  return clientAddressReader(trusted)(requestFrom(peer, rawHeaders)).ip;
}

describe('attack 81: X-Forwarded-For of a peer that is no trusted hop', () => {
  test.each([[[]], [['10.0.0.1']], [['10.0.0.0/8', 'fd00::/8']]])(
    'is not believed with %j trusted',
    (trusted) => {
      expect(ipOf(trusted, '203.0.113.9', '6.6.6.6')).toBe('203.0.113.9');
    },
  );

  test('nor is its protocol', () => {
    const read = clientAddressReader(['10.0.0.1']);
    expect(read(requestFrom('203.0.113.9', ['X-Forwarded-Proto', 'https'])).proto).toBe('http');
  });
});

describe('attack 74: X-Forwarded-For behind trusted hops', () => {
  const trusted = ['10.0.0.0/8', '127.0.0.1', '::1', 'fd00::/8'];

  test.each<[string, string[], string]>([
    ['127.0.0.1', ['203.0.113.9'], '203.0.113.9'],
    ['127.0.0.1', ['6.6.6.6, 203.0.113.9'], '203.0.113.9'],
    ['127.0.0.1', ['6.6.6.6, 203.0.113.9, 10.1.2.3'], '203.0.113.9'],
    ['127.0.0.1', ['6.6.6.6', '203.0.113.9', '10.1.2.3'], '203.0.113.9'],
    ['127.0.0.1', ['10.1.2.3, 10.1.2.4'], '10.1.2.3'],
    ['127.0.0.1', ['6.6.6.6, nonsense'], '127.0.0.1'],
    ['127.0.0.1', ['6.6.6.6, unknown, 10.1.2.3'], '10.1.2.3'],
    ['127.0.0.1', ['0x7f.1'], '127.0.0.1'],
    ['127.0.0.1', ['6.6.6.6,'], '127.0.0.1'],
    ['127.0.0.1', [], '127.0.0.1'],
    ['::ffff:127.0.0.1', ['::ffff:203.0.113.9'], '203.0.113.9'],
    ['fd00::1', ['2001:DB8::0:1'], '2001:db8::1'],
    ['fe80::1%eth0', ['203.0.113.9'], 'fe80::1'],
  ])('peer %s with %j is %s', (peer, forwarded, expected) => {
    expect(ipOf(trusted, peer, ...forwarded)).toBe(expected);
  });

  test('the protocol of the nearest hop counts', () => {
    const read = clientAddressReader(trusted);
    expect(read(requestFrom('::1', ['X-Forwarded-Proto', 'http, https'])).proto).toBe('https');
    expect(read(requestFrom('::1', ['X-Forwarded-Proto', 'gopher'], true)).proto).toBe('https');
  });
});

test('the host is what the client named', () => {
  expect(clientAddressReader([])(requestFrom('::1', ['HOST', 'example.org:443'])).host).toBe(
    'example.org:443',
  );
  expect(clientAddressReader([])(requestFrom('::1')).host).toBeUndefined();
});

test('what is no address is refused at start', () => {
  expect(() => clientAddressReader(['10.0.0.0/8', 'nginx'])).toThrow(RangeError);
  expect(() => clientAddressReader(['10.0.0.0/99'])).toThrow(RangeError);
});
