import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ADMIN_ROUTES, type AdminRoute } from '../../src/admin/routes.ts';
import { mountedPaths, ROUTES } from '../../src/http/routes.ts';
import { arrived, PAGE, seedShown, textOf } from '../account_recovery/recover_visitor.ts';
import {
  BOB,
  costOf,
  DAY,
  HOUR,
  PASSWORD,
  recorded,
  startRecovering,
  wait,
} from '../account_recovery/recovering.ts';
import { ADMIN, ask, GROUNDS, newToken, WITH_ADMIN } from '../admin/administrator.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { Visitor } from '../support/visitor.ts';

const CLIENT = '/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F';
const CLAIM = /claim(?:-[0-9a-z]{4}){4}/;

let mail: MailReceiver;
beforeEach(async () => {
  mail = await startMailReceiver();
});
afterEach(() => mail.stop());

describeOnBothDatabases('the page that recovers an account', (start) => {
  async function recovering(section = 'wait: 72h'): Promise<{ app: TestApp; bob: Enrolled }> {
    return startRecovering(start, `{ enabled: true, ${section}, operators: [ops@example.org] }`, {
      config: `policy: { administrators: { detect: false } }
notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`,
      users: [
        { name: 'bob', password: PASSWORD, emails: ['bob@example.org'] },
        { name: 'alice', password: PASSWORD },
      ],
    });
  }

  /** Begins, and answers with the claim code. */
  async function begun(app: TestApp, recovery_code = ''): Promise<string> {
    const visitor = await arrived(app);
    await visitor.send({ step: 'begin', recovery_code });
    const claim = CLAIM.exec(textOf(visitor))?.[0] ?? '';
    expect(claim).not.toBe('');
    await visitor.send({ step: 'claim_saved', saved: 'on' });
    expect(textOf(visitor)).toContain('Recovery is under way');
    expect(visitor.last?.text).not.toMatch(CLAIM);
    return claim;
  }

  /** The cancel links of the mails, by recipient. */
  async function links(app: TestApp): Promise<Map<string, string>> {
    await app.proxy.sendNotices();
    const found = mail.mails.map(({ to, text }): [string, string] => [
      to[0] ?? '',
      /https:\/\/matrix\.example\.org(\/\S+)/.exec(text)?.[1] ?? '',
    ]);
    return new Map(found);
  }

  test('says what happens before it begins, and whom it tells', async () => {
    const { app } = await recovering('wait: 72h, calendar: { work_week: [mon, tue] }');
    const visitor = await arrived(app);
    const shown = textOf(visitor);
    for (const words of [
      '@bob:localhost',
      '3 days',
      'Days off',
      'b•••@e•••.org',
      'the administrators of this',
    ]) {
      expect(shown).toContain(words);
    }
    expect(shown).not.toContain('bob@example.org');
    expect(await recorded(app)).toEqual([]);
  });

  test('attack 256: before the right password all accounts look alike', async () => {
    const { app } = await recovering();
    await begun(app);
    const pages: object[] = [];
    for (const user of ['bob', 'alice', 'no-one']) {
      const visitor = new Visitor(app.url);
      await visitor.open(PAGE);
      const cost = await costOf(app, () => visitor.send({ user, password: 'wrong' }));
      pages.push({ status: visitor.last?.status, text: textOf(visitor), cost });
    }
    expect(pages[0]).toMatchObject({ text: expect.stringContaining('Incorrect username or password.') });
    expect(pages[1]).toEqual(pages[0]);
    expect(pages[2]).toEqual(pages[0]);
    expect(textOf(await arrived(app, 'alice'))).toContain('Your password is enough');
  });

  test('from the beginning to the account page: claim code, set-up, new codes; all else is signed out', async () => {
    const { app, bob } = await recovering();
    const old = app.stub.signIn('bob', 'OLDPHONE').token;
    const claim = await begun(app);
    expect(textOf(await arrived(app))).toContain('Recovery is under way');
    await wait(app, 72 * HOUR);
    await wait(app, HOUR);
    const visitor = await arrived(app);
    await visitor.send({ claim_code: 'claim-0000-0000-0000-0000' });
    expect(textOf(visitor)).toContain('That claim code is incorrect.');
    await visitor.send({ claim_code: claim });
    const seed = seedShown(visitor);
    await visitor.send({ step: 'set_up_code', code: codeAt(seed, app.clock.now()) });
    expect(textOf(visitor)).toContain('Your account is recovered.');
    expect(visitor.last?.text.match(/<li>[0-9a-z]{4}(-[0-9a-z]{4}){2}<\/li>/g)).toHaveLength(10);
    expect(textOf(visitor)).not.toContain('could not be signed out');
    await visitor.send({ step: 'saved', saved: 'on' });
    expect(visitor.led).toBe('/_2fa/account');
    expect((await recorded(app)).filter((event) => event !== 'told')).toEqual([
      'begun',
      'opened',
      'finished',
    ]);

    const whoami = await app.call({ target: '/_matrix/client/v3/account/whoami', token: old });
    expect(whoami.status).toBe(401);
    app.clock.advance(30_000);
    const signIn = await app.post(LOGIN, passwordLogin('bob', PASSWORD));
    const session = String(signIn.json.session);
    const withCode = (token: string) =>
      app.post(LOGIN, { auth: { type: 'm.login.2fa.totp', session, token } });
    expect((await withCode(app.code(bob))).status).not.toBe(200);
    expect((await withCode(codeAt(seed, app.clock.now()))).status).toBe(200);
    expect(textOf(await arrived(app))).toContain('Recover your account');
  });

  test('attack 265: a claim code that is wrong, of another request, or of one that is not open finishes nothing', async () => {
    const { app } = await recovering();
    const claim = await begun(app);
    const early = await arrived(app);
    await early.post({ ...formIn(early), step: 'claim', claim_code: claim });
    expect(textOf(early)).toContain('Recovery is under way');
    const [link = ''] = (await links(app)).values();
    const other = new Visitor(app.url);
    await other.open(link);
    await other.send({});
    await begun(app);
    await wait(app, 10 * DAY);
    await wait(app, HOUR);
    const visitor = await arrived(app);
    await visitor.send({ claim_code: claim });
    expect(textOf(visitor)).toContain('That claim code is incorrect.');
    expect(await recorded(app)).not.toContain('finished');
  });

  test('attack 267: a set-up that was begun in time changes nothing once the request has ended', async () => {
    const { app, bob } = await recovering();
    const claim = await begun(app);
    await wait(app, 72 * HOUR);
    await wait(app, HOUR);
    const visitor = await arrived(app);
    await visitor.send({ claim_code: claim });
    const seed = seedShown(visitor);
    const [link = ''] = (await links(app)).values();
    const owner = new Visitor(app.url);
    await owner.open(link);
    await owner.send({});
    await visitor.send({ step: 'set_up_code', code: codeAt(seed, app.clock.now()) });
    expect(textOf(visitor)).not.toContain('recovered');
    expect(await recorded(app)).not.toContain('finished');
    const authenticators = await app.storage.factors.authenticators(BOB);
    expect(authenticators).toHaveLength(1);
    expect(bob).toBeDefined();
  });

  test('attack 283: twenty finishes at once, in two processes, and one more → one new authenticator, one end', async () => {
    const { app } = await recovering();
    const claim = await begun(app);
    await wait(app, 72 * HOUR);
    await wait(app, HOUR);
    const other = await app.startAnother();
    const visitor = await arrived(app);
    await visitor.send({ claim_code: claim });
    const seed = seedShown(visitor);
    const form = { ...setUpForm(visitor), code: codeAt(seed, app.clock.now()) };
    const target = visitor.led ?? '';
    const send = ({ url }: TestApp) => {
      const copy = new Visitor(url);
      for (const [name, value] of visitor.cookies) copy.cookies.set(name, value);
      return copy.post(form, {}, target);
    };
    await Promise.all(Array.from({ length: 20 }, (_, at) => send(at % 2 === 0 ? app : other)));
    await send(app);
    expect((await recorded(app)).filter((event) => event === 'finished')).toHaveLength(1);
    expect(await app.storage.factors.authenticators(BOB)).toHaveLength(1);
    expect(textOf(await arrived(app))).toContain('Recover your account');
  });

  test('after too many wrong first codes the set-up begins again, and the request stays open', async () => {
    const { app } = await recovering();
    const claim = await begun(app);
    await wait(app, 72 * HOUR);
    await wait(app, HOUR);
    const visitor = await arrived(app);
    await visitor.send({ claim_code: claim });
    const first = seedShown(visitor);
    for (let wrongs = 0; wrongs < 5; wrongs += 1) await visitor.send({ step: 'set_up_code', code: '000000' });
    expect(seedShown(visitor)).toHaveLength(0);
    expect(textOf(visitor)).toContain('Set up your new authenticator');
    await visitor.send({ step: 'set_up' });
    const seed = seedShown(visitor);
    expect(seed).not.toEqual(first);
    await visitor.send({ step: 'set_up_code', code: codeAt(seed, app.clock.now()) });
    expect(textOf(visitor)).toContain('Your account is recovered.');
  });

  test('attack 284: other devices that cannot be signed out keep everyone out, and it can be tried again', async () => {
    const { app } = await recovering();
    const old = app.stub.signIn('bob', 'OLDPHONE').token;
    const claim = await begun(app);
    await wait(app, 72 * HOUR);
    await wait(app, HOUR);
    const visitor = await arrived(app);
    await visitor.send({ claim_code: claim });
    const seed = seedShown(visitor);
    const code = codeAt(seed, app.clock.now());
    // The password is still judged; what names a device that is there is not done.
    const restore = app.stub.override(/delete_devices/, ({ bytes }, next) =>
      bytes.includes('OLDPHONE') ? { status: 500, body: {} } : next(),
    );
    await visitor.send({ step: 'set_up_code', code });
    expect(textOf(visitor)).toContain('Your account is recovered.');
    for (const fields of [{ step: 'saved', saved: 'on' }, { step: 'try_again' }]) {
      await visitor.send(fields);
      expect(textOf(visitor)).toContain('is still in your account');
      expect(visitor.led).not.toBe('/_2fa/account');
    }
    expect(app.stub.isLive(old)).toBe(true);
    const waiting = visitor.led ?? '';
    restore();
    await visitor.send({ step: 'try_again' });
    expect(visitor.led).toBe('/_2fa/account');
    expect(app.stub.isLive(old)).toBe(false);
    // Back: what was not done then is done by now.
    await visitor.open(waiting);
    expect(textOf(visitor)).toContain('Your account is recovered');
    expect(textOf(visitor)).not.toContain('could not be signed out');
  });

  test('a code page of a client leads to it, too', async () => {
    const { app } = await recovering();
    const page = await codePageOf(app);
    expect([page.status, page.text.includes(`href="${PAGE}"`)]).toEqual([200, true]);
  });

  test('attack 280: what the operator has forbidden since, or an administrator since, is not finished', async () => {
    const { app } = await recovering();
    const claim = await begun(app);
    await wait(app, 72 * HOUR);
    await wait(app, HOUR);
    const early = await arrived(app);
    expect(textOf(early)).toContain('Finish the recovery');
    const policies = [
      'policy: { recovery: { account_recovery: forbidden }, administrators: { detect: false } }',
      'policy: { administrators: { members: ["@bob:localhost"], detect: false } }',
    ];
    for (const policy of policies) {
      const other = await app.startAnother(`account_recovery: { enabled: true }\n${policy}`);
      const visitor = await arrived(other);
      expect(textOf(visitor)).toContain('This account cannot be recovered here');
      const form = { ...formIn(early), step: 'claim', claim_code: claim };
      await visitor.post({ ...form, ...formIn(visitor) });
      expect(textOf(visitor)).not.toContain('Set up your new authenticator');
    }
    expect(await app.storage.factors.authenticators(BOB)).toHaveLength(1);
    expect(await recorded(app)).not.toContain('finished');
    await early.send({ claim_code: claim });
    expect(textOf(early)).toContain('Set up your new authenticator');
  });

  test('attack 273: a cancel link that is fetched changes nothing; its button cancels, without a credential', async () => {
    const { app } = await recovering();
    await begun(app);
    const found = await links(app);
    expect([...found.keys()].sort()).toEqual(['bob@example.org', 'ops@example.org']);
    const link = found.get('ops@example.org') ?? '';
    for (const method of ['GET', 'HEAD']) await app.call({ method, target: link });
    expect(textOf(await arrived(app))).toContain('Recovery is under way');
    const operator = new Visitor(app.url);
    await operator.open(link);
    expect(textOf(operator)).toContain('Stop this recovery?');
    expect(operator.last?.text).not.toMatch(/type="password"|name="code"|\/_2fa\/login/);
    await operator.send({});
    expect(textOf(operator)).toContain('The recovery was stopped');
    const [cancelled] = (await app.storage.audit.list({ userId: BOB })).filter(
      ({ event }) => event === 'recovery_request.cancelled',
    );
    expect(JSON.stringify(cancelled?.detail)).toContain('operator mail o•••@e•••.org');
    const owner = new Visitor(app.url);
    await owner.open(found.get('bob@example.org') ?? '');
    expect(textOf(owner)).toContain('It was stopped on');
    expect(await recorded(app)).toEqual(['begun', 'cancelled']);
  });

  test('attack 274: a guessed link, half a link and that of another request cancel nothing', async () => {
    const { app } = await recovering();
    await begun(app);
    const [link = ''] = (await links(app)).values();
    const visitor = new Visitor(app.url);
    await visitor.open(link);
    const form = formIn(visitor);
    for (const wrong of [link.slice(0, -1), `${PAGE}/cancel?t=${'A'.repeat(27)}`, `${PAGE}/cancel`]) {
      const answer = await visitor.open(wrong);
      expect(answer.status).toBe(404);
      expect(textOf(visitor)).toContain('This link does not work');
      await visitor.postOnly(form, {}, wrong);
    }
    // Without the form of the page, as another site would send it.
    await new Visitor(app.url).postOnly({}, {}, link);
    expect(await recorded(app)).toEqual(['begun']);
  });

  test('attack 274: the link of a request that has ended stops no other one', async () => {
    const { app } = await recovering();
    await begun(app);
    const first = await links(app);
    const owner = new Visitor(app.url);
    await owner.open(first.get('bob@example.org') ?? '');
    const operator = new Visitor(app.url);
    await operator.open(first.get('ops@example.org') ?? '');
    await owner.send({});
    await begun(app);
    await operator.send({});
    expect(textOf(operator)).toContain('It was stopped on');
    expect(await recorded(app)).toEqual(['begun', 'cancelled', 'begun']);
  });

  test('on the code page, after the right password, it can be stopped', async () => {
    const { app } = await recovering();
    await begun(app);
    const visitor = new Visitor(app.url);
    await visitor.open(CLIENT);
    await visitor.send({ user: 'bob', password: PASSWORD });
    expect(textOf(visitor)).toContain('Someone has started to recover this account');
    expect(visitor.last?.text).toContain('href="/_2fa/recover"');
    await visitor.send({ step: 'dont_unlock' });
    expect(textOf(visitor)).toContain('Change your password now');
    expect(textOf(visitor)).not.toContain('Someone has started');
    expect(await recorded(app)).toEqual(['begun', 'cancelled']);
  });

  test('a recovery code that is given along is used up and shortens the wait; a wrong one begins nothing', async () => {
    const { app, bob } = await recovering();
    const visitor = await arrived(app);
    await visitor.send({ step: 'begin', recovery_code: '0000-0000-0000' });
    expect(textOf(visitor)).toContain('That recovery code is incorrect');
    // The first that asks for the focus gets it (HTML, "autofocus").
    expect(/<(\w+)[^>]* autofocus/.exec(visitor.last?.text ?? '')?.[1]).toBe('input');
    expect(await recorded(app)).toEqual([]);
    await begun(app, bob.recoveryCodes[0]);
    await wait(app, 24 * HOUR);
    await wait(app, HOUR);
    expect(textOf(await arrived(app))).toContain('Finish the recovery');
  });
});

describeOnBothDatabases('where the recovery of accounts is off', (start) => {
  let app: TestApp;
  let bob: Enrolled;

  beforeEach(async () => {
    app = await start({ ...WITH_ADMIN, users: [{ name: 'bob', password: PASSWORD }] });
    bob = await app.enrol('bob');
  });

  test('attack 261: every page and call of it is 404, for everyone', async () => {
    const own = ROUTES.filter(({ paths }) => paths.some((path) => /^\/_2fa\/recover|\/recovery_/.test(path)));
    expect(own.length).toBeGreaterThanOrEqual(14);
    const { token } = app.stub.signIn('bob');
    for (const { method, form = false, ...route } of own) {
      for (const { path } of mountedPaths(route)) {
        const target = path.startsWith(PAGE) ? `${path}?t=${'A'.repeat(27)}` : path;
        const body = form
          ? { body: 'a=b' }
          : method === 'GET'
            ? {}
            : { json: passwordLogin('bob', PASSWORD) };
        for (const given of [{}, { token }, { token: 'invented' }]) {
          const { status } = await app.call({ method, target, ...body, ...given });
          expect([method, path, status]).toEqual([method, path, 404]);
        }
      }
    }
  });

  test('attack 261: every call of it for programs of the operator is 404, as those that are not there', async () => {
    const token = await newToken(app, 'all', 'recovery');
    const called = async (method: string, path: string) => {
      const target = `${ADMIN}${path.replace('{id}', encodeURIComponent(BOB))}`;
      const { status, json } = await ask(app, {
        ...{ method, target, token },
        ...(method === 'GET' ? {} : { json: GROUNDS }),
      });
      return { status, json };
    };
    const notThere = await called('GET', '/not_there');
    expect([notThere.status, notThere.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
    const own = Object.values<AdminRoute>(ADMIN_ROUTES).filter(({ path }) => path.includes('recovery_'));
    expect(own).toHaveLength(4);
    for (const { path } of own) {
      for (const method of ['GET', 'POST']) {
        expect([method, path, await called(method, path)]).toEqual([method, path, notThere]);
      }
    }
  });

  test('attack 261: no other page names it', async () => {
    const visitor = new Visitor(app.url);
    const seen = [await visitor.open(CLIENT), await visitor.send({ user: 'bob', password: PASSWORD })];
    expect(visitor.last?.text).toContain('/_2fa/help#lost-all');
    seen.push(await visitor.send({ code: app.wrongCode(bob) }));
    const owner = new Visitor(app.url);
    seen.push(await owner.open('/_2fa/account'), await owner.send({ user: 'bob', password: PASSWORD }));
    seen.push(await owner.send({ code: app.code(bob) }));
    for (const target of ['/_2fa/account', '/_2fa/help', '/_2fa/not-found', '/_2fa/link']) {
      seen.push(await owner.open(target));
    }
    seen.push(await codePageOf(app));
    expect(seen.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(9);
    for (const { text } of seen) {
      const shown = text.replaceAll(/<script[^>]*>[\s\S]*?<\/script>/g, '');
      expect(shown).not.toContain(PAGE);
      expect(shown).not.toContain('Recover your account');
    }
  });
});

/** The hidden fields of the first form of a page. */
function formIn(visitor: Visitor): Record<string, string> {
  const fields = [
    ...(visitor.last?.text ?? '').matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g),
  ];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
}

/** The page on which bob approves what a client of theirs wants to do. */
async function codePageOf(app: TestApp): Promise<HttpAnswer> {
  const { token } = app.stub.signIn('bob');
  const { json } = await app.post('/_matrix/client/v3/delete_devices', { devices: ['X'] }, token);
  return app.call({
    target: `/_matrix/client/v3/auth/m.login.2fa.totp/fallback/web?session=${json.session}`,
  });
}

/** Those of the form that takes the first code. */
function setUpForm(visitor: Visitor): Record<string, string> {
  const [form = ''] =
    /<form[^>]*>(?:(?!<\/form>)[\s\S])*value="set_up_code"[\s\S]*?<\/form>/.exec(visitor.last?.text ?? '') ??
    [];
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  );
}
