import { isJsonObject, type JsonObject } from '../src/matrix/wire.ts';
import { ALICE, type Bob } from './cast.ts';
import { passwordLogin } from './client.ts';
import { placesIn } from './places.ts';
import type { Scene } from './scene.ts';

/** A command line to paste into a shell, and what comes of it. */
export interface PrintedLine {
  /** What it shows. */
  readonly says: string;
  readonly command: string;
  /** What one sees. */
  readonly see: string;
  /** Whether an answer is the one that was announced. */
  readonly holds: (answer: JsonObject) => boolean;
}

/** Stands in a body where the shell puts bob's next code. */
const CODE = '@code@';

/** The lines worth trying, in the order in which they tell the story. */
export function printedLines(scene: Scene, bob: Bob, hasAlice: boolean): PrintedLine[] {
  const { name, password, recoveryCodes } = bob;
  const [recoveryCode = ''] = recoveryCodes;
  const aliceSignsIn: PrintedLine = {
    says: 'alice has no second factor. The password is enough, as without the proxy:',
    command: curl(scene, 'login', passwordLogin(ALICE.name, ALICE.password)),
    see: 'an access_token',
    holds: hasToken,
  };
  const proof = { type: 'm.login.password', identifier: { type: 'm.id.user', user: bob.account.userId } };
  return [
    ...(hasAlice ? [aliceSignsIn] : []),
    {
      says: `${name} has a second factor. The right password alone signs no one in:`,
      command: curl(scene, 'login', passwordLogin(name, password)),
      see: 'no token, but a "session" and the "flows": password, then a code',
      holds: isChallenge,
    },
    {
      says: 'With a code typed behind the password it works, in any client:',
      command: curl(scene, 'login', passwordLogin(name, `${password} ${CODE}`)),
      see: 'an access_token; the same code again would be refused',
      holds: hasToken,
    },
    {
      says: 'A client that knows the stages sends the code by itself; here a recovery code (each works once):',
      command: curl(
        scene,
        'login',
        passwordLogin(name, password, { auth: { type: 'm.login.2fa.recovery', token: recoveryCode } }),
      ),
      see: 'an access_token; paste it again: refused',
      holds: hasToken,
    },
    {
      says: `A thief of an access token and the password wants to log ${name}'s devices out:`,
      command: curl(scene, 'delete_devices', { devices: ['PHONE'], auth: { ...proof, password } }, true),
      see: 'refused: on guarded requests a second factor comes first, too',
      holds: isChallenge,
    },
    {
      says: `What the proxy tells ${name} (never a secret):`,
      command: curl(scene, 'account/two-factor', undefined, true),
      see: 'the authenticator, and how many recovery codes are left',
      holds: (answer) => answer.enabled === true,
    },
  ];
}

function hasToken(answer: JsonObject): boolean {
  return typeof answer.access_token === 'string';
}

function isChallenge(answer: JsonObject): boolean {
  return !hasToken(answer) && Array.isArray(answer.flows) && answer.flows.every(isJsonObject);
}

function curl(scene: Scene, endpoint: string, body: JsonObject | undefined, withToken = false): string {
  const { token, code } = placesIn(scene.folder);
  const authorization = `-H "Authorization: Bearer $(cat ${unbroken(token)})"`;
  const data = body && `-d ${quoted(JSON.stringify(body)).replace(CODE, `'$(cat ${unbroken(code)})'`)}`;
  const parts = [
    "curl -sw '\\n'",
    `${scene.url}/_matrix/client/v3/${endpoint}`,
    withToken ? authorization : '',
    data ?? '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** `text` as one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function unbroken(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : quoted(path);
}
