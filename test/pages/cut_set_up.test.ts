import { beforeAll, expect, test } from '@jest/globals';
import { findRecoveries } from '../../src/storage/tables/recovery_requests.ts';
import { BEGIN, credentials, DAY, PASSWORD, startRecovering } from '../account_recovery/recovering.ts';
import { LOGIN, type TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { codeAt, seedIn } from '../support/enrolment.ts';
import { MortalStores } from '../support/mortal_stores.ts';
import { servicesOf } from '../support/services.ts';
import { formsOf, type VisitedForm, Visitor } from '../support/visitor.ts';

const CLIENT = `/_2fa/login?redirectUrl=${encodeURIComponent('https://app.example.net/')}`;
const REPLACE = /href="(\/_2fa\/login\/replace\?v=[\w-]{22})"/;
const CODE = /<li>[0-9a-z]{4}(?:-[0-9a-z]{4}){2}</g;
const OPERATOR = { grounds: { reason: 'in the sea', verifiedBy: 'Ada, video call' }, who: 'Ada' } as const;
/** Longer than a request that has died keeps the turn of its visit. */
const TURN_MS = 2 * 60_000;

/** Somebody whose browser shows the key of a new authenticator. */
interface Person {
  readonly name: string;
  readonly userId: string;
  readonly visitor: Visitor;
  /** Of what they had before. */
  readonly oldId: string | undefined;
  readonly seed: Buffer;
  readonly form: VisitedForm;
}

/** A way to a set-up by forms alone. */
interface Way {
  readonly name: string;
  /** Up to the page with the key. Answers the authenticator of before. */
  readonly reach: (name: string, visitor: Visitor) => Promise<string | undefined>;
  /** Where the browser finds the visit again. */
  readonly page: (action: string) => string;
  /** What its page says when all is done. */
  readonly done: string;
  /** Whether all other devices are to be signed out. */
  readonly endsOthers: boolean;
  /** From the page behind the codes on. Answers whether the person is in. */
  readonly goOn: (visitor: Visitor) => Promise<boolean>;
}

describeOnSharedDatabases('a set-up on our pages', (start) => {
  let app: TestApp;
  let stores: MortalStores;
  let users = 0;

  beforeAll(async () => {
    const owing = Array.from({ length: 60 }, (_, n) => `"@owes${n + 1}:localhost": required`).join(', ');
    const config = `policy: { administrators: { detect: false }, users: { ${owing} } }
notify: { mail: { from: 2fa@example.org, port: 1 } }`;
    ({ app } = await startRecovering(start, '{ enabled: true, operators: ["@ops:localhost"] }', { config }));
    stores = new MortalStores(new Set([app.storage]));
  });

  const toClient = async (visitor: Visitor) => {
    await visitor.send({ decision: 'allow' });
    const location = visitor.sent?.headers.location ?? '';
    const token = new URL(location, app.url).searchParams.get('loginToken') ?? '';
    return (await app.post(LOGIN, { type: 'm.login.token', token })).status === 200;
  };

  async function signIn(name: string, visitor: Visitor): Promise<void> {
    await visitor.open(CLIENT);
    await visitor.send({ user: name, password: PASSWORD });
  }

  const ways: readonly Way[] = [
    {
      name: 'a replacement in a sign-in',
      reach: async (name, visitor) => {
        const { authenticatorId, recoveryCodes } = await app.enrol(name);
        await signIn(name, visitor);
        const consent = await visitor.send({ recovery_code: recoveryCodes[0] ?? '' });
        await visitor.open(REPLACE.exec(consent.text)?.[1] ?? '');
        const [{ fields = {}, action = '' } = {}] = formsOf(visitor.last?.text ?? '');
        const { replaces: _radio, kind: _button, ...hidden } = fields;
        await visitor.post({ ...hidden, end_others: 'on' }, {}, action);
        return authenticatorId;
      },
      page: (action) => action.replace('/login?', '/login/replace?'),
      done: 'Authenticator replaced.',
      endsOthers: true,
      goOn: toClient,
    },
    {
      name: 'the first one, which is owed',
      reach: async (name, visitor) => {
        await signIn(name, visitor);
        await visitor.send({ step: 'set_up' });
        return undefined;
      },
      page: (action) => action,
      done: 'Two-factor authentication is on.',
      endsOthers: false,
      goOn: toClient,
    },
    {
      name: 'the last step of a recovery',
      reach: async (name, visitor) => {
        const { authenticatorId, userId } = await app.enrol(name);
        const { json } = await app.post(BEGIN, credentials(name));
        const [request] = await app.storage.read(findRecoveries('user_id = :userId', { userId }));
        if (request === undefined) throw new Error('none was begun');
        await servicesOf(app).recoveryEndings.approve(request, OPERATOR, 7 * DAY);
        await visitor.open('/_2fa/recover');
        await visitor.send({ user: name, password: PASSWORD });
        await visitor.send({ claim_code: String(json.claim_code) });
        return authenticatorId;
      },
      page: (action) => action,
      done: 'Your account is recovered.',
      endsOthers: true,
      goOn: async (visitor) => visitor.led === '/_2fa/account',
    },
  ];

  async function toKey({ reach }: Way): Promise<Person> {
    users += 1;
    const name = `owes${users}`;
    app.stub.addUser({ name, password: PASSWORD });
    const visitor = new Visitor(app.url);
    const oldId = await reach(name, visitor);
    app.stub.signIn(name, `OLDPHONE${users}`);
    const text = visitor.last?.text ?? '';
    const seed = seedIn((/<code class="secret">([^<]+)</.exec(text)?.[1] ?? '').replaceAll(' ', ''));
    const form = formsOf(text).find(({ fields }) => fields.step === 'set_up_code');
    if (form === undefined) throw new Error(`${name} has no form for a code`);
    return { name, userId: `@${name}:localhost`, visitor, oldId, seed, form };
  }

  /** Sends the first code, and looks at no page. */
  const confirm = ({ visitor, form, seed }: Person) =>
    visitor.postOnly({ ...form.fields, code: codeAt(seed, app.clock.now()) }, {}, form.action);

  async function seen({ userId, oldId }: Person): Promise<object> {
    const authenticators = await app.storage.factors.authenticators(userId);
    const entries = await app.storage.audit.list({ userId });
    return {
      authenticators: authenticators.map(({ id }) => (id === oldId ? 'old' : 'new')),
      confirmed: entries.filter(({ event }) => /^(?:totp\.added|totp\.enabled|login\.enrolled)$/.test(event))
        .length,
    };
  }

  const hasOld = ({ name }: Person) =>
    app.stub.devicesOf(name).some(({ deviceId }) => deviceId.startsWith('OLDPHONE'));

  /** What the page says after the process has died, which is true; then all is done. */
  async function goOn(person: Person, way: Way, isDone: boolean): Promise<void> {
    const { visitor, form } = person;
    app.clock.advance(TURN_MS);
    await visitor.open(way.page(form.action));
    if (!isDone) await visitor.send({ step: 'set_up_code', code: codeAt(person.seed, app.clock.now()) });
    const text = visitor.last?.text ?? '';
    expect(text).toContain(way.done);
    const areShown = (text.match(CODE) ?? []).length === 10;
    expect([areShown, text.includes('There are no recovery codes to show')]).toEqual([areShown, !areShown]);
    if (way.name === 'a replacement in a sign-in') {
      expect(hasOld(person) ? text : 'could not be signed out').toContain('could not be signed out');
    }
    await visitor.send({ step: 'saved', saved: areShown ? 'on' : 'none' });
    expect(await way.goOn(visitor)).toBe(true);
  }

  test.each(ways.map((way) => [way.name, way] as const))(
    'attack 350: %s: the process dies before or behind any commit → all of it is done or nothing, and its user is told',
    async (_name, way) => {
      const whole = await toKey(way);
      const before = await seen(whole);
      await confirm(whole);
      const after = await seen(whole);
      expect(after).toEqual({ authenticators: ['new'], confirmed: expect.any(Number) });
      expect(hasOld(whole)).toBe(!way.endsOthers);
      const told: boolean[] = [];
      for (let point = 1; ; point += 1) {
        const person = await toKey(way);
        const owned = { userId: person.userId, alsoNameless: true };
        const hasDied = await stores.dying(owned, point, () => confirm(person));
        const left = await seen(person);
        expect([before, after]).toContainEqual(left);
        if (!hasDied) break;
        const isDone = JSON.stringify(left) === JSON.stringify(after);
        told.push(isDone);
        await goOn(person, way, isDone);
        expect(await seen(person)).toEqual(after);
      }
      // It was cut off on both sides of the commit that does it.
      expect(new Set(told)).toEqual(new Set([false, true]));
    },
  );
});
