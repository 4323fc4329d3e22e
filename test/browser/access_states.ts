import type { JsonObject } from '../../src/matrix/wire.ts';
import { DEVICE_GRANT } from '../../src/oauth/registered_client.ts';
import { NATIVE_BACK, registerApp, requestOf, WEB_BACK } from '../oauth/asking.ts';
import { call } from '../support/http.ts';
import type { PageState, PageVisit } from './page_visit.ts';

async function openRequest(visit: PageVisit, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const client_id = await registerApp(visit.scene.app, {
    client_name: 'Sunflower for Android',
    application_type: 'native',
    redirect_uris: [NATIVE_BACK, WEB_BACK],
    grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
  });
  await visit.open(requestOf({ client_id, redirect_uri: NATIVE_BACK, ...more }));
}

async function upToConsent(visit: PageVisit): Promise<void> {
  const { deviceId } = visit.scene.app.stub.signIn('erin');
  await openRequest(visit, { scope: `urn:matrix:client:api:* urn:matrix:client:device:${deviceId}` });
  await visit.givePassword('erin');
  await visit.giveCode(visit.freshCode('erin'));
}

/** The code that a device shows. */
async function beginDevice(visit: PageVisit): Promise<string> {
  const { app } = visit.scene;
  const client_id = await registerApp(app, { client_name: 'A television', grant_types: [DEVICE_GRANT] });
  const scope = 'urn:matrix:client:api:* urn:matrix:client:device:TELEVISION';
  const { text } = await call(app.url, {
    method: 'POST',
    target: '/_2fa/oauth2/device',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ client_id, scope }).toString(),
  });
  return String((JSON.parse(text) as JsonObject).user_code);
}

async function typeCode(visit: PageVisit, code: string): Promise<void> {
  await visit.open('/_2fa/link');
  await visit.page.locator('input[name="user_code"]').fill(code);
  await visit.enter();
}

async function upToDevice(visit: PageVisit): Promise<void> {
  await typeCode(visit, await beginDevice(visit));
  await visit.givePassword('erin');
  await visit.giveCode(visit.freshCode('erin'));
}

/** Where an app, or a device without a browser, asks for access to an account. */
export const ACCESS_STATES: readonly PageState[] = [
  {
    name: 'access-consent',
    says: 'An app asks for access, on a device that is there',
    isMain: true,
    reach: upToConsent,
  },
  {
    name: 'access-continue',
    says: 'The link back to an app of the device',
    reach: async (visit) => {
      await upToConsent(visit);
      await visit.pressToNext('access.allow');
    },
  },
  {
    name: 'access-denied',
    says: 'The same after a no',
    reach: async (visit) => {
      await upToConsent(visit);
      await visit.pressToNext('access.deny');
    },
  },
  {
    name: 'access-fault',
    says: 'The request of an app is wrong',
    reach: (visit) => openRequest(visit, { scope: 'openid' }),
  },
  {
    name: 'link-code',
    says: 'The code of a device is asked for',
    reach: (visit) => visit.open('/_2fa/link'),
  },
  {
    name: 'link-wrong',
    says: 'The same after a wrong one',
    reach: (visit) => typeCode(visit, 'BBBB-BBBB'),
  },
  { name: 'link-consent', says: 'A device asks for access', isMain: true, reach: upToDevice },
  {
    name: 'link-done',
    says: 'A device has access',
    reach: async (visit) => {
      await upToDevice(visit);
      await visit.pressToNext('access.allow');
    },
  },
  {
    name: 'link-gone',
    says: 'A device that waits no more, or in another browser',
    reach: (visit) => visit.open('/_2fa/link?device=AAAA'),
  },
];
