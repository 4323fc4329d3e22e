import type { ClientAddress } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Flow, type JsonObject, LOGIN_PATH, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { Log } from '../system/log.ts';
import type { RandomSource } from '../system/random.ts';
import { readFlows, waitMs } from './answer_fields.ts';
import { answerRefusal, errcodeOf } from './answer_refusal.ts';
import type {
  Asker,
  CallHomeserver,
  HomeserverAnswer,
  JudgedPassword,
  PasswordJudgement,
} from './homeserver.ts';
import { logout } from './logout.ts';

const DEVICE_ID_BYTES = 12;

/**
 * Has the homeserver judge a password (docs/homeservers.md, "Judging a password"): asks it to delete a device that does
 * not exist, first without `auth` to see its challenge, then with the password.
 *
 * @throws Refusal unknown_token, forbidden (the account is deactivated or locked), or homeserver_unclear when
 *   the answer says neither right nor wrong
 */
export async function judgePassword(
  call: CallHomeserver,
  random: RandomSource,
  log: Log,
  judged: JudgedPassword,
): Promise<PasswordJudgement> {
  // No account has an empty password, and one homeserver refuses to judge it.
  if (judged.password === '') return { verdict: 'wrong' };

  // A list without an entry would delete every device on one homeserver.
  const deletion: JsonObject = { devices: [unusedDeviceId(random)] };
  const opening = await call(probe(judged, deletion));
  if (opening.status === 429) return wait(opening);
  // Within Synapse's `ui_auth.session_timeout` right and wrong pass alike: the probe says nothing (attack 109).
  if (opening.status === 200) return judgeByLogin(call, log, judged);

  if (isOfOAuth(opening)) return { verdict: 'oauth' };
  const flows = readFlows(opening.json);
  if (flows === undefined || (opening.status !== 401 && opening.status !== 400)) {
    throw answerRefusal(opening);
  }
  if (!flows.some(isPasswordFlow)) return { verdict: 'no_password' };
  return readVerdict(await call(probe(judged, { ...deletion, auth: passwordOf(judged) })));
}

/**
 * Whether the homeserver takes no password under this token because its own OAuth made it: the opening of the probe
 * is refused without flows then. Any other answer counts as no.
 */
export async function isMadeByOAuth(
  call: CallHomeserver,
  random: RandomSource,
  token: string,
  asker: Asker,
): Promise<boolean> {
  return isOfOAuth(await opened(call, random, token, asker));
}

/** Whether the account has a password at the homeserver, by the opening of the probe; where it does not say, yes. */
export async function takesPassword(
  call: CallHomeserver,
  random: RandomSource,
  token: string,
  asker: Asker,
): Promise<boolean> {
  const flows = readFlows((await opened(call, random, token, asker)).json);
  return flows === undefined || flows.some(isPasswordFlow);
}

/** The opening of the probe, without a password: it deletes nothing. */
function opened(
  call: CallHomeserver,
  random: RandomSource,
  token: string,
  { client, signal }: Asker,
): Promise<HomeserverAnswer> {
  const deletion: JsonObject = { devices: [unusedDeviceId(random)] };
  return call({ ...probe({ token, client }, deletion), signal });
}

function isOfOAuth(opening: HomeserverAnswer): boolean {
  return (
    opening.status === 403 && errcodeOf(opening) === 'M_FORBIDDEN' && readFlows(opening.json) === undefined
  );
}

function probe({ token, client }: Pick<JudgedPassword, 'token' | 'client'>, body: JsonObject) {
  return { method: 'POST', path: '/_matrix/client/v3/delete_devices', token, body, client };
}

/** 24 upper-case hexadecimal digits: ids of homeservers are shorter or have other letters. */
function unusedDeviceId(random: RandomSource): string {
  return random.bytes(DEVICE_ID_BYTES).toString('hex').toUpperCase();
}

function isPasswordFlow(flow: Flow): boolean {
  return flow.length === 1 && flow[0] === PASSWORD_STAGE;
}

/** Password and owner as `auth` and as a login: by `identifier`, because Conduit does not read `user`. */
export function passwordOf(judged: Pick<JudgedPassword, 'userId' | 'password'>): JsonObject {
  return {
    type: PASSWORD_STAGE,
    identifier: { type: 'm.id.user', user: judged.userId },
    password: judged.password,
  };
}

function readVerdict(answer: HomeserverAnswer): PasswordJudgement {
  const { status } = answer;
  const errcode = errcodeOf(answer);
  if (status === 200 && answer.json !== undefined) return { verdict: 'right' };
  if ((status === 401 || status === 403) && errcode === 'M_FORBIDDEN') return { verdict: 'wrong' };
  if (status === 429) return wait(answer);
  // Synapse answers so where password login is disabled.
  if (status === 400 && errcode === 'M_UNKNOWN') return { verdict: 'no_password' };
  throw answerRefusal(answer);
}

function wait(answer: HomeserverAnswer): PasswordJudgement {
  return { verdict: 'wait', retryAfterMs: waitMs(answer) };
}

/** The fallback: a login without a `device_id`, which touches no existing device and is logged out at once. */
async function judgeByLogin(
  call: CallHomeserver,
  log: Log,
  judged: JudgedPassword,
): Promise<PasswordJudgement> {
  const login = await call({
    method: 'POST',
    path: LOGIN_PATH,
    body: passwordOf(judged),
    client: judged.client,
    whenLate: async (late) => {
      const token = late.json?.access_token;
      if (typeof token === 'string') await endProbeLogin(call, log, token, judged.client);
    },
  });
  const judgement = readVerdict(login);
  if (judgement.verdict !== 'right') return judgement;

  const token = login.json?.access_token;
  if (typeof token !== 'string') throw new Refusal('homeserver_unclear');
  await endProbeLogin(call, log, token, judged.client);
  if (login.json?.user_id !== judged.userId) throw new Refusal('homeserver_unclear');
  return judgement;
}

/** The token was never given out, so a failure costs a line in the device list, not the judgement. */
async function endProbeLogin(
  call: CallHomeserver,
  log: Log,
  token: string,
  client: ClientAddress,
): Promise<void> {
  try {
    await logout(call, token, client);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    log.warn({ reason: error.refusal }, 'The login that judged a password could not be logged out');
  }
}
