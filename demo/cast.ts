import { readFile, writeFile } from 'node:fs/promises';
import { isJsonObject, type JsonObject, RECOVERY_STAGE } from '../src/matrix/wire.ts';
import { ask, passwordLogin, textIn } from './client.ts';
import { type Account, type Enrolled, enrol, inShort, recoveryCodesIn, signIn } from './enrolment.ts';
import type { Guest } from './options.ts';
import { Phone } from './phone.ts';
import { placesIn } from './places.ts';
import type { Scene } from './scene.ts';

export interface Person {
  readonly name: string;
  readonly password: string;
}

export const ALICE: Person = { name: 'alice', password: 'wonderland' };
const BOB: Person = { name: 'bob', password: 'builder' };

/** The one with the second factor. */
export interface Bob extends Person, Enrolled {
  readonly account: Account;
}

/** What an earlier run has kept cannot be used any more. */
export class StaleCast extends Error {}

/** What is kept of bob between runs. */
interface KeptBob {
  readonly userId: string;
  readonly token: string;
  readonly seed: string;
  readonly recoveryCodes: readonly string[];
}

/** Fewer recovery codes than this are not worth showing: new ones are made. */
const FEW_CODES = 3;

/** Makes alice and bob on the scene's own Synapse. */
export async function registerCast({ synapse }: Scene): Promise<void> {
  for (const { name, password } of [ALICE, BOB]) await synapse?.registerUser(name, password);
}

/** Who plays bob: the bob of the demo's homeserver, or a user of the homeserver that was named. */
export function bobOr(guest: Guest | undefined): Person {
  return guest === undefined ? BOB : { name: guest.user, password: guest.password };
}

/**
 * The user bob as an earlier run left the account, or newly made and enrolled.
 *
 * @throws StaleCast if what an earlier run left does not fit any more
 */
export async function findBob(scene: Scene, guest: Guest | undefined): Promise<Bob> {
  const kept = await readKept(scene);
  const person = bobOr(guest);
  const bob = kept === undefined ? await newBob(scene, person, guest) : await knownBob(scene, person, kept);
  await keepBob(scene, bob);
  return { ...bob, recoveryCodes: await unusedCodes(bob) };
}

/** Writes down what a user would have on their phone and on paper, and their token for the printed lines. */
export async function keepBob(scene: Scene, { account, phone, recoveryCodes }: Bob): Promise<void> {
  const keep: KeptBob = { userId: account.userId, token: account.token, seed: phone.seed, recoveryCodes };
  const { cast, token } = placesIn(scene.folder);
  await writeFile(cast, JSON.stringify(keep, null, 2), { mode: 0o600 });
  await writeFile(token, account.token, { mode: 0o600 });
}

/** The last time step that the proxy took from bob. */
export async function lastUsedStep(scene: Scene, userId: string): Promise<number> {
  const authenticators = await scene.proxy.storage.factors.authenticators(userId);
  return Math.max(0, ...authenticators.map(({ lastStep }) => lastStep));
}

async function readKept(scene: Scene): Promise<KeptBob | undefined> {
  const text = await readFile(placesIn(scene.folder).cast, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as KeptBob;
  } catch (error) {
    throw new StaleCast('cast.json cannot be read', { cause: error });
  }
}

async function newBob(scene: Scene, person: Person, guest: Guest | undefined): Promise<Bob> {
  if (guest === undefined) {
    await registerCast(scene).catch((error: unknown) => {
      throw new StaleCast('the users are there, but not what is known of them', { cause: error });
    });
  }
  const account = await signIn(scene.url, person.name, person.password);
  return { ...person, account, ...(await enrolHere(scene, account)) };
}

function enrolHere(scene: Scene, account: Account): Promise<Enrolled> {
  return enrol(account, (seed) => new Phone(seed, scene.clock));
}

/** 2FA may have been turned off, codes used up or bob logged out: that is what a demo is for. */
async function knownBob(scene: Scene, person: Person, kept: KeptBob): Promise<Bob> {
  const phone = new Phone(kept.seed, scene.clock);
  const account = { url: scene.url, userId: kept.userId, password: person.password, token: kept.token };
  const bob = { ...person, phone, account, recoveryCodes: kept.recoveryCodes };
  const state = await ask(scene.url, { path: 'v3/account/two-factor', token: kept.token });
  if (state.status === 401) return knownBob(scene, person, { ...kept, token: await newToken(scene, bob) });
  if (state.status !== 200) throw new StaleCast(inShort(state));
  if (state.body.enabled !== true) return { ...bob, ...(await enrolHere(scene, account)) };
  const left = await unusedCodes(bob);
  return left.length >= FEW_CODES ? bob : { ...bob, recoveryCodes: await newCodes(scene, bob) };
}

async function newToken(scene: Scene, { name, password, phone, account }: Bob): Promise<string> {
  const { code } = phone.freshCode(await lastUsedStep(scene, account.userId));
  const answer = await ask(scene.url, { path: 'v3/login', body: passwordLogin(name, `${password} ${code}`) });
  if (answer.status !== 200) throw new StaleCast(inShort(answer));
  return textIn(answer, 'access_token');
}

async function newCodes(scene: Scene, { password, phone, account }: Bob): Promise<string[]> {
  const { code } = phone.freshCode(await lastUsedStep(scene, account.userId));
  const identifier = { type: 'm.id.user', user: account.userId };
  const auth = { type: 'm.login.password', identifier, password: `${password} ${code}` };
  const answer = await ask(scene.url, {
    path: 'v3/account/two-factor/recovery',
    token: account.token,
    body: { auth },
  });
  if (answer.status !== 200) throw new StaleCast(inShort(answer));
  return recoveryCodesIn(answer);
}

/** The codes that have not been used, by what the proxy says of their positions. */
async function unusedCodes({ account, recoveryCodes }: Bob): Promise<string[]> {
  const { body } = await ask(account.url, { path: 'v3/account/two-factor', token: account.token });
  const providers = isJsonObject(body.providers) ? body.providers : {};
  const recovery = providers[RECOVERY_STAGE];
  const codes = isJsonObject(recovery) && Array.isArray(recovery.codes) ? recovery.codes : [];
  const unused = codes.filter((code): code is JsonObject => isJsonObject(code) && code.used_at === null);
  return unused.flatMap(({ position }) => recoveryCodes[Number(position) - 1] ?? []);
}
