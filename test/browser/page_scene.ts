import { OWN_TOKEN } from '../login/lone_person.ts';
import { startApp } from '../support/app.ts';
import { ClientPage } from '../support/client_page.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { PasskeyUser } from '../support/passkey_user.ts';
import { PASSWORD, type Scene } from './page_visit.ts';

/** Those who have 2FA on, and how many recovery codes they have. */
const ENROLLED = {
  ...{
    bob: 10,
    carol: 10,
    dave: 0,
    dora: 10,
    erin: 10,
    gina: 10,
    heidi: 10,
    ida: 10,
    kim: 10,
    kurt: 10,
    nina: 10,
  },
  ...{ lou: 1, pia: 10, rita: 10, una: 10 },
};
/** Those who have not; some of them should. */
const OTHERS = ['alice', 'alina', 'grace', 'greta', 'olga', 'otto'];

const CONFIG = `limits: { per_address: { per_second: 1000, burst_count: 10000 } }
policy:
  administrators: { detect: false }
  users:
    "@olga:localhost": required
    "@otto:localhost": required
    "@greta:localhost": { policy: required, grace: 7d }
account_recovery: { enabled: true, votes: { enabled: true }, operators: ["@ops:localhost"] }
notify: { mail: { from: 2fa@example.org, port: 1 } }
oauth: { enabled: true }`;

/** The application of all visits, with its users and a web client. */
export async function openScene(): Promise<Scene> {
  const names = [...Object.keys(ENROLLED).filter((name) => name !== 'pia'), ...OTHERS];
  const app = await startApp({
    users: [
      ...names.map((name) => ({ name, password: PASSWORD })),
      { name: 'frank', password: 'frank password' },
      { name: 'pia', password: null },
    ],
    sso: { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'carol' },
    applicationServices: [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }],
    ownToken: OWN_TOKEN,
    config: CONFIG,
  });
  // From its first round on a process measures how long a recovery waits.
  await app.proxy.keepHouse();
  await new PasskeyUser(app, 'frank').enrol();
  const users: Record<string, Enrolled> = {};
  for (const [name, codes] of Object.entries(ENROLLED)) users[name] = await app.enrol(name, codes);
  // Two authenticators.
  users.grace = {
    ...(await app.enrol('grace', 0)),
    recoveryCodes: (await app.enrol('grace', 10)).recoveryCodes,
  };
  for (const user of ['bob', 'dora']) {
    for (const display_name of ['Pixel 9', 'Firefox on Linux']) {
      const { token, deviceId } = app.stub.signIn(user);
      const target = `/_matrix/client/v3/devices/${deviceId}`;
      await app.call({ method: 'PUT', target, json: { display_name }, token });
    }
  }
  const client = await ClientPage.serve(app.url);
  return { app, client, users, signedIn: new Map(), usedCodes: new Map() };
}
