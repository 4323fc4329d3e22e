import { randomBytes } from 'node:crypto';
import { challengeOf, leadsTo, requestOf, WEB_BACK } from '../../oauth/asking.ts';
import type { HttpAnswer } from '../../support/http.ts';
import { Visitor } from '../../support/visitor.ts';
import { PASSWORD } from '../scene.ts';
import { type Act, codeOf } from './owner_acts.ts';
import { asOwner, type Owner, type Storm, send } from './storm_client.ts';

const REGISTER = '/_2fa/oauth2/register';
const TOKEN = '/_2fa/oauth2/token';
const REVOKE = '/_2fa/oauth2/revoke';
const APP = {
  client_name: 'An app in a storm',
  client_uri: 'https://app.example.com',
  application_type: 'web',
  redirect_uris: [WEB_BACK],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

/** An app registers, is allowed in, exchanges its code twice, refreshes with a lost answer in between, and is signed out. */
export const signInApp: Act = async (storm, owner) => {
  const registered = await send(storm, owner.address, { target: REGISTER, json: APP });
  const clientId = registered?.json.client_id;
  if (typeof clientId !== 'string') return false;
  const verifier = randomBytes(32).toString('base64url');
  const code = await allow(storm, owner, clientId, verifier);
  if (code === null) return false;
  const grant = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: WEB_BACK };
  const exchange = () => post(storm, owner, TOKEN, { ...grant, code, code_verifier: verifier });
  const first = await exchange();
  const again = await exchange();
  const sessions = [first, again].filter((answer) => answer?.status === 200);
  if (sessions.length > 1) storm.ledger.fault(`${storm.now}: an authorization code was good twice`);
  const [session] = sessions;
  return session !== undefined && (await keepAndEnd(storm, owner, { clientId, session }));
};

/** What the person does in the browser: the code for the app, or null. */
async function allow(storm: Storm, owner: Owner, clientId: string, verifier: string): Promise<string | null> {
  const visitor = new Visitor(storm.world.url, { 'x-forwarded-for': owner.address });
  const asked = { client_id: clientId, code_challenge: challengeOf(verifier) };
  try {
    await visitor.open(requestOf(asked));
    await visitor.send({ user: owner.name, password: PASSWORD });
    const code = codeOf(storm, owner);
    if (code === undefined) return null;
    await visitor.send({ code: code.token });
    return leadsTo(await visitor.send({ decision: 'allow' })).searchParams.get('code');
  } catch {
    // The connection was cut, or the page said that something is away.
    storm.ledger.cut(owner.enrolled.userId);
    return null;
  }
}

/** A refresh token that is sent twice gives the very same answer; once the session is revoked it gives nothing. */
async function keepAndEnd(
  storm: Storm,
  owner: Owner,
  { clientId, session }: { readonly clientId: string; readonly session: HttpAnswer },
): Promise<boolean> {
  const { ledger } = storm;
  const { userId } = owner.enrolled;
  const { access_token: access, refresh_token: refresh } = session.json;
  ledger.token(userId, String(access));
  const renew = (token: unknown) =>
    post(storm, owner, TOKEN, {
      grant_type: 'refresh_token',
      refresh_token: String(token),
      client_id: clientId,
    });
  const twins = [await renew(refresh), await renew(refresh)].filter((answer) => answer?.status === 200);
  if (new Set(twins.map((answer) => answer?.text)).size > 1)
    ledger.fault(`${storm.now}: a refresh token gave two answers`);
  const latest = twins[0]?.json.refresh_token ?? refresh;
  const revoked = await post(storm, owner, REVOKE, { token: String(latest), client_id: clientId });
  if (revoked?.status !== 200) return false;
  if ((await renew(latest))?.status === 200) ledger.fault(`${storm.now}: a revoked session was refreshed`);
  return twins.length > 0;
}

function post(storm: Storm, owner: Owner, target: string, fields: Readonly<Record<string, string>>) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams(fields).toString();
  return asOwner(storm, owner, { method: 'POST', target, headers, body });
}
