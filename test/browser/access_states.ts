import type { JsonObject } from '../../src/matrix/wire.ts';
import { DEVICE_GRANT } from '../../src/oauth/registered_client.ts';
import { NATIVE_BACK, registerApp, requestOf, WEB_BACK } from '../oauth/asking.ts';
import { call } from '../support/http.ts';
import type { PageVisit, PageWalk } from './page_visit.ts';

async function openRequest(visit: PageVisit, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const client_id = await registerApp(visit.scene.app, {
    client_name: 'Sunflower for Android',
    application_type: 'native',
    redirect_uris: [NATIVE_BACK, WEB_BACK],
    grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
  });
  await visit.open(requestOf({ client_id, redirect_uri: NATIVE_BACK, ...more }));
}

/** @param more of the request */
async function upToConsent(visit: PageVisit, more: Readonly<Record<string, string>> = {}): Promise<void> {
  await openRequest(visit, more);
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
  await visit.page.locator('input[name="user_code"]').fill(code);
  await visit.enter();
}

/** Where an app, or a device without a browser, asks for access to an account. */
export const ACCESS_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'access-sign-in',
      says: 'The sign-in page for an app that asks for access',
      reach: (visit) => openRequest(visit),
    },
    {
      name: 'access-consent',
      says: 'An app asks for access',
      isMain: true,
      reach: (visit) => upToConsent(visit),
    },
    {
      name: 'access-continue',
      says: 'The link back to an app of the device',
      reach: (visit) => visit.pressToNext('access.allow'),
    },
  ],
  [
    {
      name: 'access-consent-ends',
      says: 'An app asks for access on a device that is there',
      reach: (visit) => {
        const { deviceId } = visit.scene.app.stub.signIn('erin');
        const scope = `urn:matrix:client:api:* urn:matrix:client:device:${deviceId}`;
        return upToConsent(visit, { scope });
      },
    },
    {
      name: 'access-denied',
      says: 'The same after a no',
      reach: (visit) => visit.pressToNext('access.deny'),
    },
  ],
  [
    {
      name: 'access-consent-recovery',
      says: 'An app asks for access, after a recovery code',
      reach: async (visit) => {
        await openRequest(visit);
        await visit.givePassword('erin');
        await visit.giveRecoveryCode(visit.recoveryCode('erin'));
      },
    },
  ],
  [
    {
      name: 'access-fault',
      says: 'The request of an app is wrong',
      reach: (visit) => openRequest(visit, { scope: 'openid' }),
    },
  ],
  [
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
    {
      name: 'link-sign-in',
      says: 'The sign-in page for a device',
      reach: async (visit) => typeCode(visit, await beginDevice(visit)),
    },
    {
      name: 'link-consent',
      says: 'A device asks for access',
      isMain: true,
      reach: async (visit) => {
        await visit.givePassword('erin');
        await visit.giveCode(visit.freshCode('erin'));
      },
    },
    {
      name: 'link-done',
      says: 'A device has access',
      reach: (visit) => visit.pressToNext('access.allow'),
    },
    {
      name: 'link-gone',
      says: 'A device that waits no more, or in another browser',
      reach: (visit) => visit.open('/_2fa/link?device=AAAA'),
    },
  ],
];
