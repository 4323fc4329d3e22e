import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { SupportContact, supportIn } from '../../src/homeserver/support_contact.ts';
import type { Json, JsonObject } from '../../src/matrix/wire.ts';
import { silentLog } from '../../src/system/log.ts';
import { startApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const admin = (contact: JsonObject): JsonObject => ({ contacts: [{ role: 'm.role.admin', ...contact }] });

describe('whom a document names', () => {
  test.each<[Json, unknown]>([
    [{ support_page: 'https://example.org/help' }, { href: 'https://example.org/help' }],
    [
      { support_page: 'https://example.org/help', ...admin({ email_address: 'a@example.org' }) },
      { href: 'https://example.org/help' },
    ],
    [admin({ email_address: 'a@example.org', matrix_id: '@a:b' }), { href: 'mailto:a@example.org' }],
    [admin({ matrix_id: '@a:example.org' }), { userId: '@a:example.org' }],
    [
      {
        contacts: [{ role: 'm.role.security', email_address: 's@example.org' }, 7, { role: 'm.role.admin' }],
      },
      undefined,
    ],
  ])('%j', (document, named) => {
    expect(supportIn(document)).toEqual(named);
  });

  test.each<[string, Json]>([
    ['a script', { support_page: 'javascript:alert(1)' }],
    ['data', { support_page: 'data:text/html,<script>' }],
    ['no TLS', { support_page: 'http://example.org' }],
    ['another host behind an @', { support_page: 'https://example.org@evil.example/' }],
    ['a mail with a body', admin({ email_address: 'a@example.org?body=x' })],
    ['two mail addresses', admin({ email_address: 'a@example.org,b@evil.example' })],
    ['markup', admin({ email_address: '"><script>@example.org' })],
    ['a room', admin({ matrix_id: '#room:example.org' })],
    ['what is too long', admin({ matrix_id: `@${'a'.repeat(300)}:example.org` })],
    ['no list', { contacts: { role: 'm.role.admin', email_address: 'a@example.org' } }],
    ['a list', []],
    ['nothing', null],
  ])('%s is not taken', (_, document) => {
    expect(supportIn(document)).toBeUndefined();
  });
});

describe('asking the homeserver', () => {
  let server: Server;
  let url: string;
  let answer: { status: number; headers?: Record<string, string>; body: string };
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test('what it says is kept while it says nothing else', async () => {
    const contact = new SupportContact(url, silentLog);
    const named = { userId: '@a:example.org' };
    const good = { status: 200, body: JSON.stringify(admin({ matrix_id: '@a:example.org' })) };
    const after = async (next: typeof answer) => {
      answer = next;
      await contact.ask();
      return contact.current();
    };
    expect(await after(good)).toEqual(named);
    expect(await after({ status: 500, body: '{}' })).toEqual(named);
    expect(await after({ status: 200, body: '<html>' })).toEqual(named);
    expect(await after({ status: 200, body: `{"x":"${'x'.repeat(70_000)}"}` })).toEqual(named);
    expect(await after({ status: 200, body: good.body.slice(0, -1) })).toEqual(named);
    expect(await after({ status: 404, body: '{}' })).toBeUndefined();
    expect(await after(good)).toEqual(named);
    expect(await after({ status: 302, headers: { Location: `${url}/other` }, body: '' })).toBeUndefined();
    expect(new Set(asked)).toEqual(new Set(['/.well-known/matrix/support']));
  });
});

test('a page shows it, and the foot leads there', async () => {
  const app = await startApp();
  let asked = () => {};
  const answered = new Promise<void>((resolve) => {
    asked = resolve;
  });
  app.stub.override(/^GET \/\.well-known\/matrix\/support$/, () => {
    asked();
    return { status: 200, body: admin({ matrix_id: '@<b>:example.org' }) };
  });
  const help = async () => (await supertest(app.url).get('/_2fa/help').expect(200)).text;
  expect(await help()).toContain('Contact the people who run');
  app.findContact();
  await answered;
  await until(async () => !(await help()).includes('Contact the people'));
  const text = await help();
  await app.stop();
  expect(text).toContain('Contact your server administrator: <bdi>@&lt;b&gt;:example.org</bdi>');
  expect(text).toContain('<a href="/_2fa/help#lost-all" target="_blank" rel="noopener">Contact');
});
