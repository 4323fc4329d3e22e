import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ACTIONS, POINTS, TARGETS, visit } from '../../adversary/visits.ts';
import { LOGIN, passwordLogin } from '../../support/app.ts';
import { codeNow, seedIn, wrongCode } from '../../support/enrolment.ts';
import { mainFile } from '../../support/serve_process.ts';
import { PASSWORD } from '../scene.ts';
import type { Dice } from './dice.ts';
import { type Owner, openSession, type Storm, send } from './storm_client.ts';

const V3 = '/_matrix/client/v3';
const TOTP_API = `${V3}/account/two-factor/totp`;
const VANDAL_PATIENCE_MS = 1_000;
const execute = promisify(execFile);

/** A user without two-factor authentication signs in, reads, uploads and signs out. */
export async function guestComes(storm: Storm, number: number): Promise<boolean> {
  const from = `192.0.2.${number + 1}`;
  const login = await send(storm, from, { target: LOGIN, json: passwordLogin(`guest${number}`, PASSWORD) });
  const token = login?.json.access_token;
  if (typeof token !== 'string') return false;
  const upload = { target: '/_matrix/media/v3/upload', body: 'x'.repeat(20_000), token };
  const answers = [
    await send(storm, from, { target: `${V3}/account/whoami`, token }),
    await send(storm, from, upload),
    await send(storm, from, { target: `${V3}/logout`, json: {}, token }),
  ];
  return answers.every((answer) => answer?.status === 200);
}

/** A thief knows an owner's password, and guesses a code, or sends one that the owner has spent. */
export async function thiefComes(storm: Storm, owner: Owner, dice: Dice): Promise<boolean> {
  const { userId, seed } = owner.enrolled;
  const octet = () => Math.floor(dice.between(1, 255));
  const from = `198.51.${octet()}.${octet()}`;
  const { session } = await openSession(storm, { userId, from });
  if (session === undefined) return false;
  const token = wrongCode(seed, Date.now() + storm.world.clockOffMs);
  const json = { auth: { type: 'm.login.2fa.totp', session, token } };
  const answer = await send(storm, from, { target: LOGIN, json }, userId);
  if (answer?.json.access_token !== undefined)
    storm.ledger.fault(`${storm.now}: a wrong code signed in as ${userId}`);
  // A session that is over is answered with a new one, in which no code was looked at.
  const isRefused = answer?.status === 401 && String(answer.json.error).includes('The code is not right');
  if (isRefused) storm.ledger.wrongCodeRefused(userId);
  return isRefused || answer?.status === 429;
}

/** What a newcomer was answered when they turned two-factor authentication on. */
export interface Enrolment {
  readonly userId: string;
  /** `unknown`: the answer to the confirmation was lost. */
  readonly outcome: 'on' | 'off' | 'unknown';
}

/** A newcomer signs in and turns two-factor authentication on. */
export async function newcomerEnrols(storm: Storm, number: number): Promise<Enrolment> {
  const from = `203.0.112.${number + 1}`;
  const userId = `@newcomer${number}:${storm.world.stub.serverName}`;
  const off: Enrolment = { userId, outcome: 'off' };
  const login = await send(storm, from, {
    target: LOGIN,
    json: passwordLogin(`newcomer${number}`, PASSWORD),
  });
  const token = login?.json.access_token;
  if (typeof token !== 'string') return off;
  storm.ledger.token(userId, token);
  const auth = passwordLogin(userId, PASSWORD);
  const begun = await send(storm, from, {
    method: 'POST',
    target: TOTP_API,
    token,
    json: { name: 'phone', auth },
  });
  const { setup_id, seed } = begun?.json ?? {};
  if (begun?.status !== 200 || typeof setup_id !== 'string') return off;
  const code = codeNow(seedIn(seed), 0, storm.world.clockOffMs);
  const json = { setup_id, token: code };
  const confirmed = await send(storm, from, { method: 'POST', target: `${TOTP_API}/confirm`, token, json });
  if (confirmed?.status === 200) return { userId, outcome: 'on' };
  return { userId, outcome: confirmed === undefined || confirmed.status >= 500 ? 'unknown' : 'off' };
}

/** A vandal begins a request and leaves it, at any point and in any way. */
export async function vandalComes({ world }: Storm, dice: Dice): Promise<boolean> {
  const what = { target: dice.pick(TARGETS), point: dice.pick(POINTS), action: dice.pick(ACTIONS) };
  await visit(Number(new URL(world.url).port), what, VANDAL_PATIENCE_MS);
  return true;
}

/** The operator says what is asked of a user, or of all, while `serve` runs. */
export async function operatorActs({ world }: Storm, owner: Owner, dice: Dice): Promise<boolean> {
  if (dice.roll() < 0.5) {
    world.writeConfig(dice.pick(['optional', 'required']));
    world.serve.child.kill('SIGHUP');
    return true;
  }
  const mode = dice.pick(['required', 'inherit', 'optional']);
  const words = ['user', 'policy', owner.enrolled.userId, mode, '--config', world.directConfig];
  return execute(process.execPath, [mainFile(), ...words]).then(
    () => true,
    () => false,
  );
}
