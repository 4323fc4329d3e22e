import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { SmsConfig } from '../../src/config/config.ts';
import { failureOf, inTime } from '../../src/notify/channel.ts';
import { isPhoneNumber, SmsChannel } from '../../src/notify/sms_channel.ts';
import { hostileText } from '../support/hostile_text.ts';
import { type HookReceiver, startHookReceiver, startLiar } from './receivers.ts';

const NUMBER = '+4915112345678';
const TEXT = 'example.org: Nicht du? "Abbrechen": https://x/?t=a&b={secret}';
const NO_ONE = { textOf: async () => undefined };

let gateway: HookReceiver;
let channel: SmsChannel | undefined;
beforeEach(async () => {
  gateway = await startHookReceiver();
});
afterEach(async () => {
  await channel?.close();
  await gateway.stop();
});

/** Sends one message; the failure, if there is one. */
async function text(given: Partial<SmsConfig> = {}, message = TEXT, tryMs = 5000) {
  const config: SmsConfig = {
    ...{
      url: gateway.url,
      method: 'POST',
      headers: {},
      format: 'json',
      secret: undefined,
      prefixes: undefined,
    },
    body: '{"to": "{number}", "parts": [{"text": "{text}"}], "n": 1, "x": null}',
    ...given,
  };
  channel = new SmsChannel({ config: () => config, confirmation: NO_ONE, recovery: NO_ONE });
  const sent = channel;
  return inTime(tryMs, (signal) => sent.text(NUMBER, message, 'n1', signal)).then(() => undefined, failureOf);
}

describe('what goes to the gateway', () => {
  test('JSON: number and text stand within its strings', async () => {
    expect(await text()).toBeUndefined();
    expect(gateway.hooks).toMatchObject([
      { method: 'POST', headers: { 'content-type': 'application/json' } },
    ]);
    expect(gateway.hooks[0]?.json).toEqual({ to: NUMBER, parts: [{ text: TEXT }], n: 1, x: null });
  });

  test('a form, with headers of the operator and the secret', async () => {
    const headers = { authorization: 'Bearer {secret}', 'idempotency-key': '{id}', 'content-type': 'a/b' };
    const body = 'To={number}&From=%2B1&Body={text}&d={digits}';
    expect(await text({ format: 'form', method: 'PUT', headers, body, secret: 'k {id}' })).toBeUndefined();
    const [received] = gateway.hooks;
    expect(received?.method).toBe('PUT');
    expect(received?.headers).toMatchObject({
      authorization: 'Bearer k {id}',
      'idempotency-key': 'n1',
      'content-type': 'a/b',
    });
    expect(Object.fromEntries(new URLSearchParams(received?.body))).toEqual({
      ...{ To: NUMBER, From: '+1', Body: TEXT, d: NUMBER.slice(1) },
    });
  });

  test('a request without a body', async () => {
    const url = `${gateway.url}/{digits}?text={text}&key={secret}`;
    expect(await text({ method: 'GET', url, secret: 'a&b' })).toBeUndefined();
    const [received] = gateway.hooks;
    expect([received?.method, received?.body]).toEqual(['GET', '']);
    expect(received?.headers).not.toHaveProperty('content-type');
    const { pathname, searchParams } = new URL(received?.target ?? '', 'http://localhost');
    expect(pathname).toBe('/hook/4915112345678');
    expect(Object.fromEntries(searchParams)).toEqual({ text: TEXT, key: 'a&b' });
  });

  test('attack 340: no text leaves its place in JSON, a form or a URL', async () => {
    const url = `${gateway.url}?first={text}&last=1`;
    const body = 'To={number}&Body={text}&last=1';
    await fc.assert(
      fc.asyncProperty(hostileText, async (hostile) => {
        // What is no text at all (half of a pair) is none anywhere.
        const said = `${hostile.toWellFormed()}&x=1","x":"1{number}`;
        expect(await text({ url }, said)).toBeUndefined();
        expect(await text({ url, format: 'form', body }, said)).toBeUndefined();
        const [json, form] = gateway.hooks.splice(0);
        expect(json?.json).toMatchObject({ to: NUMBER, parts: [{ text: said }] });
        expect([...new URLSearchParams(form?.body)]).toEqual([
          ...[
            ['To', NUMBER],
            ['Body', said],
            ['last', '1'],
          ],
        ]);
        const query = (form?.target ?? '').split('?')[1];
        expect([...new URLSearchParams(query)]).toEqual([
          ...[
            ['first', said],
            ['last', '1'],
          ],
        ]);
      }),
      { numRuns: 30 },
    );
  });
});

test.each([
  ['+4915112345678', true],
  ['+1202555017', true],
  ['+290123', false],
  ['4915112345678', false],
  ['+04915112345678', false],
  ['+49151123456789012', false],
  ['+49 151 12345678', false],
  ['+4915112345678\n', false],
  ['+4915112345678,+4915112345679', false],
  ['+49151123456٧٨', false],
  ['tel:+4915112345678', false],
])('%j is a phone number: %s', (written, is) => {
  expect(isPhoneNumber(written)).toBe(is);
});

describe('a gateway that does not take it', () => {
  test.each([
    [400, true],
    [404, true],
    [401, false],
    [402, false],
    [403, false],
    [408, false],
    [429, false],
    [500, false],
    [503, false],
  ])('%d is final: %s', async (status, isFinal) => {
    gateway.answers(status);
    expect(await text()).toMatchObject({ isFinal, reason: `the gateway answered ${status}` });
  });

  test('attack 341: a redirect is not followed, and no failure names number, text or secret', async () => {
    const other = await startHookReceiver();
    gateway.answers(307, { location: other.url });
    const secret = 'of_the_gateway';
    const url = `${gateway.url}?key={secret}`;
    const redirected = await text({ url, secret });
    expect(other.hooks).toEqual([]);
    await other.stop();
    const liar = await startLiar((socket) => socket.end('HTTP/1.1 2OO of_the_gateway\r\n\r\n'));
    const lied = await text({ url: `http://127.0.0.1:${liar.port}/?key={secret}`, secret });
    await liar.stop();
    const gone = await text({ url: `http://127.0.0.1:${liar.port}/?key={secret}`, secret });
    expect([redirected, lied, gone].map((failure) => failure?.isFinal)).toEqual([false, false, false]);
    for (const failure of [redirected, lied, gone]) {
      expect(failure?.reason).toMatch(/^[\w ]+$/);
      expect(failure?.reason).not.toMatch(/of_the_gateway|49151|example/);
    }
  });

  test('attack 341: one that hangs is given up in time, and holds nothing', async () => {
    const sockets: Socket[] = [];
    const hanging = await startLiar((socket) => sockets.push(socket.resume()));
    const failure = await text({ url: `http://127.0.0.1:${hanging.port}/` }, TEXT, 50);
    expect(failure).toMatchObject({ reason: 'no answer in time', isFinal: false });
    const [socket] = sockets;
    if (socket?.closed === false) await once(socket, 'close');
    expect(sockets.every(({ closed }) => closed)).toBe(true);
    await hanging.stop();
  });
});
