import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { startApp, type TestApp } from '../support/app.ts';

describe('the help page', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({
      config: 'brand: { name: Example, help_url: "mailto:help@example.org?subject=2FA" }',
    });
  });
  afterAll(() => app.stop());

  const help = async (language: string) => {
    const { text } = await supertest(app.url).get('/_2fa/help').set('Accept-Language', language).expect(200);
    return text;
  };

  test('has its sections, each under an id that links lead to', async () => {
    const text = await help('en');
    expect([...text.matchAll(/<section class="card" id="([a-z-]+)">/g)].map(([, id]) => id)).toEqual([
      ...['what', 'app', 'passkey', 'recovery-code', 'password-field', 'refused', 'lost', 'lost-all'],
    ]);
    expect(text.match(/<h1/g)).toHaveLength(1);
    expect(text).not.toContain('<script');
    expect(text).toContain('correct horse 123456');
  });

  test('says who helps', async () => {
    const link = '<a href="mailto:help@example.org?subject=2FA" rel="noopener">help@example.org</a>';
    expect(await help('en')).toContain(`Contact your server administrator: ${link}. They can reset`);
    expect(await help('de')).toContain(`Wende dich an den Betreiber dieses Servers: ${link}. Dort kann`);
  });
});

test('where no one is named, and codes do not go into the password field, it says so; without passkeys it does not name them', async () => {
  const app = await startApp({
    config: 'brand: { name: "<i>Ex" }\nlogin: { appended_code: false }\nwebauthn: { enabled: false }',
  });
  const { text } = await supertest(app.url).get('/_2fa/help').expect(200);
  await app.stop();
  expect(text).toContain('Contact the people who run &lt;i&gt;Ex. They can reset');
  expect(text).toContain('This server does not take codes in the password field.');
  expect(text).not.toContain('correct horse 123456');
  expect(text).not.toContain('What is a passkey');
});

test('where no codes go into the password field, a passkey is not said to need one there', async () => {
  const app = await startApp({ config: 'login: { appended_code: false }' });
  const { text } = await supertest(app.url).get('/_2fa/help').expect(200);
  await app.stop();
  const passkey = text.slice(text.indexOf('id="passkey"'), text.indexOf('id="recovery-code"'));
  expect(passkey).toContain('use the sign-in page that your app offers');
  expect(passkey).not.toContain('keep an authenticator app');
});
