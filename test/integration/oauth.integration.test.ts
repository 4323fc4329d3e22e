import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { MINUTE, SECOND } from '../../src/system/clock.ts';
import { leadsTo, requestOf } from '../oauth/asking.ts';
import { REVOKE, TOKEN, tokensIn } from '../oauth/oauth_app.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { CLIENT, type TwoFactorUser } from '../support/real_app.ts';
import { Visitor } from '../support/visitor.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

const BACK = 'https://app.example.com/back';
const VERIFIER = 'v'.repeat(43);
const CONFIG = 'oauth: { enabled: true, homeserver_refresh_tokens: true }';

await describeOnSynapse(
  'an OAuth app, on a real Synapse that gives refresh tokens',
  (app) => {
    const form = (target: string, fields: Readonly<Record<string, string>>): Promise<HttpAnswer> =>
      // Its errors are those of OAuth, and not judged as Matrix's.
      call(app().url, {
        target,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      });

    async function registered(): Promise<string> {
      const json = { client_name: 'App', client_uri: 'https://app.example.com', redirect_uris: [BACK] };
      const { status, json: made } = await app().call({ target: '/_2fa/oauth2/register', json });
      expect(status).toBe(201);
      return made.client_id as string;
    }

    async function codeOf(bob: TwoFactorUser, client_id: string, deviceId: string): Promise<string> {
      const scope = `urn:matrix:client:api:* urn:matrix:client:device:${deviceId}`;
      const code_challenge = createHash('sha256').update(VERIFIER).digest('base64url');
      const visitor = new Visitor(app().url);
      await visitor.open(requestOf({ client_id, redirect_uri: BACK, scope, code_challenge }));
      await visitor.send({ user: bob.name, password: bob.password });
      await visitor.send({ code: app().code(bob) });
      return leadsTo(await visitor.send({ decision: 'allow' })).searchParams.get('code') ?? '';
    }

    async function signIn(bob: TwoFactorUser, client_id: string, deviceId: string): Promise<HttpAnswer> {
      const code = await codeOf(bob, client_id, deviceId);
      const fields = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri: BACK };
      return form(TOKEN, { ...fields, client_id });
    }

    const refresh = (refresh_token: string, client_id: string) =>
      form(TOKEN, { grant_type: 'refresh_token', refresh_token, client_id });

    test('signs in, refreshes, and is signed out by a stolen token, or as it wishes', async () => {
      const bob = await app().enrolledUser();
      const client_id = await registered();
      const answer = await signIn(bob, client_id, 'APP+1/x');
      const first = tokensIn(answer);
      expect(answer.json.expires_in).toBeGreaterThan(0);
      const whoami = await app().call({ target: `${CLIENT}/account/whoami`, token: first.access });
      expect(whoami.json).toMatchObject({ user_id: bob.userId, device_id: 'APP+1/x' });

      const lost = await refresh(first.refresh, client_id);
      const second = tokensIn(lost);
      expect(second.access).not.toBe(first.access);
      expect((await refresh(first.refresh, client_id)).text).toBe(lost.text);
      expect(await app().whoami(second.access)).toBe(200);
      app().clock.advance(MINUTE + SECOND);
      expect(await refresh(first.refresh, client_id)).toMatchObject({ status: 400 });
      expect(await app().whoami(second.access)).toBe(401);

      const other = tokensIn(await signIn(bob, client_id, 'OTHER'));
      const third = tokensIn(await refresh(other.refresh, client_id));
      expect(await app().whoami(third.access)).toBe(200);
      expect(await form(REVOKE, { token: third.refresh, client_id })).toMatchObject({ status: 200 });
      expect(await app().whoami(third.access)).toBe(401);
    });
  },
  async () => ({ config: CONFIG }),
);
