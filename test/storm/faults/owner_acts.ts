import { leadsTo } from '../../oauth/asking.ts';
import { LOGIN, passwordLogin } from '../../support/app.ts';
import { Visitor } from '../../support/visitor.ts';
import { PASSWORD } from '../scene.ts';
import {
  asOwner,
  finishSession,
  type Owner,
  openSession,
  type Storm,
  signOut,
  withCode,
} from './storm_client.ts';

const V3 = '/_matrix/client/v3';
const UNSTABLE = '/_matrix/client/unstable/org.matrix.2fa';
const DEVICE_PASSWORDS = `${UNSTABLE}/device_passwords`;
const RECOVERY_REQUEST = `${UNSTABLE}/recovery_request`;
const RECOVERY_CODES = `${V3}/account/two-factor/recovery`;
const CLIENT_PAGE = 'https://client.example.org/';

/** What somebody does; whether it came to its end. */
export type Act = (storm: Storm, owner: Owner) => Promise<boolean>;

/** Of a wrong clock the authenticator's codes are wrong: then there are the recovery codes. */
export function codeOf({ world }: Storm, { book }: Owner) {
  return book.take(Date.now(), world.clockOffMs === 0 ? 'any' : 'recovery');
}

/** Signs in with password and code, which is sent twice at once, and out again. */
export const signIn: Act = async (storm, owner) => {
  const { session } = await openSession(storm, { userId: owner.enrolled.userId, from: owner.address });
  if (session === undefined) return false;
  const code = codeOf(storm, owner);
  if (code === undefined) return false;
  const { tokens } = await finishSession(storm, owner, session, code, storm.dice.roll() < 0.5);
  for (const token of tokens) await signOut(storm, owner, token);
  return tokens.length > 0;
};

/** A guarded request with password and code in one: it is done where it was answered so, and not where it was refused. */
export const removeDevice: Act = async (storm, owner) => {
  const { world, ledger } = storm;
  const { userId } = owner.enrolled;
  const { token, deviceId } = world.stub.signIn(owner.name);
  ledger.token(userId, token);
  const code = codeOf(storm, owner);
  if (code === undefined) return false;
  const json = { devices: [deviceId], auth: withCode(owner, code) };
  const target = `${V3}/delete_devices`;
  const answer = await asOwner(storm, owner, { method: 'POST', target, token: owner.phone, json });
  const isGone = !world.stub.devicesOf(owner.name).some((device) => device.deviceId === deviceId);
  if (answer?.status === 200) ledger.codeAccepted(userId, code.token);
  if (answer?.status === 200 && !isGone)
    ledger.fault(`${storm.now}: a device was not removed, and 200 said so`);
  if (answer?.status === 401 && isGone) ledger.fault(`${storm.now}: a device was removed, and 401 denied it`);
  return answer?.status === 200;
};

/** Makes a device password, signs in with it, and ends it: after that it opens nothing. */
export const useDevicePassword: Act = async (storm, owner) => {
  const { ledger } = storm;
  const { userId } = owner.enrolled;
  const code = codeOf(storm, owner);
  if (code === undefined) return false;
  const asPhone = { token: owner.phone };
  const json = { name: 'bot', auth: withCode(owner, code) };
  const made = await asOwner(storm, owner, { method: 'POST', target: DEVICE_PASSWORDS, ...asPhone, json });
  const { id, device_password: password } = made?.json ?? {};
  if (made?.status !== 200 || typeof password !== 'string') return false;
  ledger.codeAccepted(userId, code.token);
  const open = () => asOwner(storm, owner, { target: LOGIN, json: passwordLogin(owner.name, password) });
  const opened = (await open())?.json.access_token;
  if (typeof opened === 'string') ledger.token(userId, opened);
  const target = `${DEVICE_PASSWORDS}/${id}`;
  const revoked = await asOwner(storm, owner, { method: 'DELETE', target, ...asPhone });
  if (revoked?.status !== 200) return false;
  if ((await open())?.status === 200)
    ledger.fault(`${storm.now}: a device password of ${userId} was ended, and opened a login`);
  return typeof opened === 'string';
};

/** Signs in on the page, and redeems its token, which is good once. */
export const signInOnPage: Act = async (storm, owner) => {
  const { world, ledger } = storm;
  const { userId } = owner.enrolled;
  const visitor = new Visitor(world.url, { 'x-forwarded-for': owner.address });
  let redeemed: string | null = null;
  try {
    await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent(CLIENT_PAGE)}`);
    await visitor.send({ user: owner.name, password: PASSWORD });
    const code = codeOf(storm, owner);
    if (code === undefined) return false;
    await visitor.send({ code: code.token });
    redeemed = leadsTo(await visitor.send({ decision: 'allow' })).searchParams.get('loginToken');
  } catch {
    // The connection was cut, or the page said that something is away: it has no such form then.
    ledger.cut(userId);
  }
  if (redeemed === null) return false;
  const json = { type: 'm.login.token', token: redeemed };
  const answers = [
    await asOwner(storm, owner, { target: LOGIN, json }),
    await asOwner(storm, owner, { target: LOGIN, json }),
  ];
  const tokens = answers.flatMap((answer) => answer?.json.access_token ?? []).map(String);
  if (tokens.length > 1) ledger.fault(`${storm.now}: a login token of ${userId} was good twice`);
  for (const token of tokens) {
    ledger.token(userId, token);
    await signOut(storm, owner, token);
  }
  return tokens.length > 0;
};

/** Somebody who has the password begins a recovery; the owner's next sign-in is to end nothing of theirs. */
export const requestRecovery: Act = async (storm, owner) => {
  const json = passwordLogin(owner.name, PASSWORD);
  const answer = await asOwner(storm, owner, { method: 'POST', target: RECOVERY_REQUEST, json });
  if (answer?.json.access_token !== undefined)
    storm.ledger.fault(`${storm.now}: a request to recover ${owner.name} gave a token`);
  // Three in thirty days, then they are refused: that is an end, too.
  return answer !== undefined && answer.status < 500;
};

/** Gets new recovery codes: the old ones are over. */
export async function renewCodes(storm: Storm, owner: Owner): Promise<void> {
  const code = owner.book.take(Date.now());
  if (code === undefined) return;
  const json = { auth: withCode(owner, code) };
  const answer = await asOwner(storm, owner, {
    method: 'POST',
    target: RECOVERY_CODES,
    token: owner.phone,
    json,
  });
  const codes = answer?.json.recovery_codes;
  if (answer?.status !== 200 || !Array.isArray(codes))
    return storm.ledger.fault(`${owner.name} did not get new recovery codes`);
  storm.ledger.codeAccepted(owner.enrolled.userId, code.token);
  owner.book.renew(codes.map(String));
}
