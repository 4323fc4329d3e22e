import { beforeEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/matrix/wire.ts';
import { describeOnBothDatabases } from '../../support/both_databases.ts';
import { optionsIn, PASSKEYS, PasskeyUser, TWO_FACTOR } from '../../support/passkey_user.ts';
import { FLAGS, SoftwareAuthenticator } from '../../support/software_authenticator.ts';

describeOnBothDatabases('attacks on the set-up of a passkey', (start) => {
  /** Has a passkey. */
  let bob: PasskeyUser;
  /** Has none yet. */
  let alice: PasskeyUser;

  beforeEach(async () => {
    const users = ['alice', 'bob'].map((name) => ({ name, password: `${name} password` }));
    const app = await start({ users });
    [alice, bob] = [new PasskeyUser(app, 'alice'), new PasskeyUser(app, 'bob')];
    await bob.enrol();
  });

  /** Begins a further one by passkey and password. */
  async function beginFurther(user: PasskeyUser): Promise<JsonObject> {
    const asked = await user.ask('POST', PASSKEYS, {});
    await user.ask('POST', PASSKEYS, { auth: user.stage(asked) });
    const auth = user.passwordStage({ session: String(asked.json.session) });
    return (await user.ask('POST', PASSKEYS, { auth })).json;
  }

  test('attack 232: the question of a set-up is not that of a sign-in, nor the reverse', async () => {
    const begun = await beginFurther(bob);
    const ofSetUp = begun.public_key as JsonObject;
    const further = new SoftwareAuthenticator();
    const challenge = await bob.challenged();
    const ofSignIn = optionsIn(challenge);
    const crossed = bob.key.get({ ...ofSignIn, challenge: ofSetUp.challenge });
    const signIn = await bob.answer({ ...bob.stage(challenge), credential: crossed });
    expect([signIn.status, signIn.json.errcode]).toEqual([401, 'M_FORBIDDEN']);

    const reverse = further.create({ ...ofSetUp, challenge: optionsIn(signIn).challenge });
    expect((await bob.confirm(begun, reverse)).status).toBe(403);
    const asserted = further.create(ofSetUp, { clientData: { type: 'webauthn.get' } });
    expect((await bob.confirm(begun, asserted)).status).toBe(403);
    expect((await bob.confirm(begun, further.create(ofSetUp))).status).toBe(200);
  });

  test('attack 233: a new credential from another origin, or out of a frame', async () => {
    const origins = [
      'https://matrix.example.org.evil.org',
      'https://matrix.example.org:8448',
      'http://matrix.example.org',
      'https://MATRIX.example.org',
      'https://matrix.example.org/',
      'null',
    ];
    const wrong = [...origins.map((origin) => ({ origin })), { crossOrigin: true }, { topOrigin: 'x' }];
    for (const clientData of wrong) await expectRefused({ clientData });
    await alice.enrol();
  });

  test('attack 234: a new credential for another RP ID, with nobody present, or with flags that do not fit', async () => {
    for (const twist of [
      { rpId: 'example.org' },
      { flags: FLAGS.at },
      { flags: FLAGS.at | FLAGS.uv },
      { flags: FLAGS.up },
      { flags: FLAGS.at | FLAGS.up | FLAGS.bs },
      { flags: FLAGS.at | FLAGS.up | FLAGS.ed },
    ]) {
      await expectRefused(twist);
    }
    await alice.enrol();
  });

  async function expectRefused(twist: Parameters<SoftwareAuthenticator['create']>[1]): Promise<void> {
    const begun = await alice.begin();
    const answer = await alice.confirm(begun, alice.key.create(begun.public_key as JsonObject, twist));
    expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect((await alice.ask('GET', TWO_FACTOR)).json.enabled).toBe(false);
  }

  test('attack 238: a further one by the token and the password, or the token and a passkey, alone', async () => {
    expect((await bob.ask('POST', PASSKEYS, { auth: bob.passwordStage() })).status).toBe(401);
    const asked = await bob.ask('POST', PASSKEYS, {});
    const session = String(asked.json.session);
    const proven = await bob.ask('POST', PASSKEYS, { auth: bob.stage(asked) });
    expect([proven.status, proven.json.setup_id]).toEqual([401, undefined]);
    expect((await bob.ask('POST', PASSKEYS, { auth: { session } })).status).toBe(401);
  });
});
