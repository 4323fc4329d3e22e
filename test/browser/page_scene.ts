import { pageTexts } from '../../src/pages/texts/own_texts.ts';
import { OWN_TOKEN } from '../login/lone_person.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { ClientPage } from '../support/client_page.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { requireOfNoKind } from '../support/no_kinds.ts';
import { PasskeyUser } from '../support/passkey_user.ts';
import { PASSWORD, type Scene, type Users } from './page_visit.ts';

/** Those who have 2FA on, with ten recovery codes. */
const ENROLLED =
  'bob carol dora erin gina heidi ida ilse kim kurt mia nils nina noah pia paul pola rita una'.split(' ');
/** The same with another number of them. */
const OTHER_CODES: Readonly<Record<string, number>> = { dave: 0, lou: 1 };
/** Those who have not; some of them should. */
const OTHERS = ['alice', 'alina', 'grace', 'greta', 'olga', 'otis', 'otto', 'theo', 'vito'];

const LIMITS = 'limits: { per_address: { per_second: 1000, burst_count: 10000 } }';

const CONFIG = `${LIMITS}
policy:
  administrators: { detect: false }
  users:
    "@olga:localhost": required
    "@otis:localhost": required
    "@theo:localhost": { policy: required, factors: [totp] }
    "@vito:localhost": required
    "@otto:localhost": required
    "@greta:localhost": { policy: required, grace: 7d }
    "@nils:localhost": { recovery: { account_recovery: forbidden } }
account_recovery: { enabled: true, votes: { enabled: true }, operators: ["@ops:localhost", "ops@example.org"] }
notify: { mail: { from: 2fa@example.org, port: 1 } }
oauth: { enabled: true }`;

const BRANDED = `${LIMITS}
login: { appended_code: false }
webauthn: { passwordless: true }
brand:
  name: Example University
  colour: "#7a1f3d"
  help_url: https://help.example.org/
  privacy_url: https://example.org/privacy
  show_version: true`;

const STRICT = `limits: { per_address: { per_second: 0.01, burst_count: 2 } }
policy: { administrators: { detect: false } }
account_recovery: { enabled: true, on_session_use: cancel }`;

const TELLING = `${LIMITS}
policy: { administrators: { detect: false } }
account_recovery:
  enabled: true
  operators: ["@ops:localhost", "ops@example.org"]
  room_admins: true
  votes: { enabled: true }
  calendar: { work_week: [mon, tue, wed, thu, fri] }
notify: { mail: { from: 2fa@example.org, port: 1 }, matrix: { appservice: true } }`;

/** How the German pages address people. */
export type German = 'du' | 'sie';

/** The application of all visits, with its users and a web client. */
export async function openScene(german: German): Promise<Scene> {
  const names = [...ENROLLED, ...Object.keys(OTHER_CODES), ...OTHERS].filter((name) => name !== 'pia');
  const sso = { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'carol' };
  const app = await startApp({
    users: [
      ...names.map((name) => ({ name, password: PASSWORD, emails: [`${name}@example.org`] })),
      { name: 'frank', password: 'frank password' },
      { name: 'pia', password: null },
    ],
    sso,
    applicationServices: [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }],
    ownToken: OWN_TOKEN,
    config: `${CONFIG}\nbrand: { german: ${german} }`,
  });
  await requireOfNoKind(app, '@vito:localhost');
  // From its first round on a process measures how long a recovery waits.
  await app.proxy.keepHouse();
  const frank = new PasskeyUser(app, 'frank');
  await frank.enrol();
  const users = await enrolAll(app);
  await nameDevices(app);
  const branded = await app.startAnother(`${BRANDED}\n  german: ${german}`);
  const strict = await app.startAnother(`${STRICT}\nbrand: { german: ${german} }`);
  const telling = await app.startAnother(`${TELLING}\nbrand: { german: ${german} }`);
  const client = await ClientPage.serve(app.url);
  const texts = pageTexts({ texts: [], german, language: 'en' });
  const kept = { signedIn: new Map(), usedCodes: new Map(), noted: new Map() };
  return { ...{ app, texts, branded, strict, telling, sso, frank, client, users }, ...kept };
}

async function enrolAll(app: TestApp): Promise<Users> {
  const users: Record<string, Enrolled> = {};
  for (const name of ENROLLED) users[name] = await app.enrol(name, 10);
  for (const [name, codes] of Object.entries(OTHER_CODES)) users[name] = await app.enrol(name, codes);
  // Two authenticators.
  users.grace = {
    ...(await app.enrol('grace', 0)),
    recoveryCodes: (await app.enrol('grace', 10)).recoveryCodes,
  };
  return users;
}

/** Some have other devices, with names. */
async function nameDevices(app: TestApp): Promise<void> {
  for (const user of ['bob', 'dora', 'paul', 'pola', 'mia']) {
    for (const display_name of ['Pixel 9', 'Firefox on Linux']) {
      const { token, deviceId } = app.stub.signIn(user);
      const target = `/_matrix/client/v3/devices/${deviceId}`;
      await app.call({ method: 'PUT', target, json: { display_name }, token });
    }
  }
}
