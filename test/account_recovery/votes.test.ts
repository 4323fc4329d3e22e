import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { effect } from '../../src/storage/statement.ts';
import { removeRecoveryContacts } from '../../src/storage/tables/recovery_contacts.ts';
import { listVotes } from '../../src/storage/tables/recovery_votes.ts';
import { systemRandom } from '../../src/system/random.ts';
import { hashToken } from '../../src/system/token_hash.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { startMailReceiver } from '../notify/receivers.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';
import { operate } from '../support/operate.ts';
import { Visitor } from '../support/visitor.ts';
import {
  BOB,
  begin,
  DAY,
  GROUNDS,
  HOUR,
  PASSWORD,
  recorded,
  running,
  startRecovering,
  status,
  wait,
} from './recovering.ts';

const API = '/_matrix/client/unstable/org.matrix.2fa';
const ALICE = '@alice:localhost';
const CAROL = '@carol:localhost';
const YES = { vote: 'yes', how: 'spoke to him on the phone' };

/** bob has named alice and carol, who have 2FA on, long enough ago. */
class Election {
  private constructor(
    readonly app: TestApp,
    readonly people: Readonly<Record<string, Enrolled>>,
    readonly tokens: Readonly<Record<string, string>>,
  ) {}

  static async start(start: StartApp, config = ''): Promise<Election> {
    const section = '{ enabled: true, votes: { enabled: true } }';
    const policy = 'policy: { administrators: { detect: false } }';
    const users = ['alice', 'bob', 'carol'].map((name) => {
      return { name, password: PASSWORD, emails: [`${name}@example.org`] };
    });
    const { app, bob } = await startRecovering(start, section, { users, config: `${policy}\n${config}` });
    const people = { bob, alice: await app.enrol('alice'), carol: await app.enrol('carol') };
    const names = Object.keys(people);
    const tokens = Object.fromEntries(names.map((name) => [name, app.stub.signIn(name).token]));
    return new Election(app, people, tokens);
  }

  async named(): Promise<this> {
    await this.name([ALICE, CAROL]);
    await wait(this.app, 7 * DAY);
    return this;
  }

  async name(voters: string[]): Promise<void> {
    expect((await this.prove('bob', 'PUT', `${API}/recovery_contacts`, { voters })).status).toBe(200);
  }

  async ask(name: string, method: string, target: string, json: JsonObject): Promise<HttpAnswer> {
    const answer = await this.app.call({ method, target, token: this.tokens[name] ?? '', json });
    expect(judgeAll({ method, path: target, status: answer.status, body: answer.json })).toEqual([]);
    return answer;
  }

  /** The same with password and code. */
  prove(name: string, method: string, target: string, json: JsonObject, code?: string): Promise<HttpAnswer> {
    const person = this.people[name];
    if (person === undefined) throw new Error(`${name} is not there`);
    this.app.live(30_000);
    const identifier = { type: 'm.id.user', user: person.userId };
    const password = `${PASSWORD} ${code ?? this.app.code(person)}`;
    return this.ask(name, method, target, {
      ...json,
      auth: { type: 'm.login.password', identifier, password },
    });
  }

  /** The links of the request that runs, by their voters. */
  async links(): Promise<Record<string, string>> {
    const vault = new SealingVault(loadKeyRing(join(this.app.directory, 'keys.json')), systemRandom);
    const votes = await this.app.storage.read(listVotes((await running(this.app)).id));
    return Object.fromEntries(
      votes.map(({ id, userId, voter, sealedLink, linkHash }) => {
        const link = vault.open(sealedLink, `recovery-vote:${id}:${userId}`).toString('utf8');
        expect(hashToken(link)).toBe(linkHash);
        return [voter, link];
      }),
    );
  }

  see(name: string, link = ''): Promise<HttpAnswer> {
    return this.ask(name, 'POST', `${API}/recovery_vote`, { link });
  }

  answer(name: string, link = '', vote: JsonObject = YES): Promise<HttpAnswer> {
    return this.prove(name, 'PUT', `${API}/recovery_vote`, { link, ...vote });
  }
}

describeOnBothDatabases('votes on a recovery', (start) => {
  test('enough of them shorten the wait, never to nothing; each is on record', async () => {
    const it = await (await Election.start(start)).named();
    await begin(it.app);
    const links = await it.links();
    expect(Object.keys(links)).toEqual([ALICE, CAROL]);
    const begun = (await running(it.app)).begunAt;
    const asked = { user_id: BOB, begun_ts: begun, open: true, vote: null, voted_ts: null };
    expect((await it.see('alice', links[ALICE])).json).toEqual(asked);

    const first = await it.answer('alice', links[ALICE]);
    expect([first.status, first.json.vote]).toEqual([200, 'yes']);
    expect((await running(it.app)).waitMs).toBe(72 * HOUR);
    expect((await it.answer('carol', links[CAROL])).status).toBe(200);
    expect((await running(it.app)).waitMs).toBe(24 * HOUR);
    expect(await recorded(it.app)).toEqual(['begun', 'voted', 'voted']);
    const [entry] = await it.app.storage.audit.list({ userId: BOB });
    expect(entry?.detail).toMatchObject({ voter: CAROL, ...YES });
    await wait(it.app, 22 * HOUR);
    expect((await status(it.app)).state).toBe('waiting');
    for (let hours = 0; hours < 3; hours += 1) await wait(it.app, HOUR);
    expect((await status(it.app)).state).toBe('open');
  });

  test('attack 282: votes at once in two processes → each counts, the wait is shortened once; a yes and a no → it is over', async () => {
    const it = await (await Election.start(start)).named();
    const other = await it.app.startAnother();
    const at = async (round: number, name: string, app: TestApp, vote: JsonObject) => {
      const { [name]: person } = it.people;
      const link = (await it.links())[`@${name}:localhost`] ?? '';
      const identifier = { type: 'm.id.user', user: `@${name}:localhost` };
      const password = `${PASSWORD} ${person?.recoveryCodes[round]}`;
      const json = { link, ...vote, auth: { type: 'm.login.password', identifier, password } };
      return app.call({ method: 'PUT', target: `${API}/recovery_vote`, token: it.tokens[name] ?? '', json });
    };
    await begin(it.app);
    const both = await Promise.all([at(0, 'alice', it.app, YES), at(0, 'carol', other, YES)]);
    expect(both.map(({ status: each }) => each)).toEqual([200, 200]);
    expect((await running(it.app)).waitMs).toBe(24 * HOUR);

    await operate(it.app, 'recovery', 'deny', BOB, ...GROUNDS);
    await begin(it.app);
    const { waitMs } = await running(it.app);
    await Promise.all([at(1, 'alice', other, YES), at(1, 'carol', it.app, { vote: 'no' })]);
    expect((await status(it.app)).state).toBe('cancelled');
    expect((await status(it.app)).wait_ms).toBe(waitMs);
  });

  test('one no ends it, and says whose it was', async () => {
    const it = await (await Election.start(start)).named();
    await begin(it.app);
    const links = await it.links();
    await it.answer('alice', links[ALICE]);
    expect(
      (await it.answer('carol', links[CAROL], { vote: 'no', how: 'he knows nothing of it' })).status,
    ).toBe(200);
    expect((await status(it.app)).state).toBe('cancelled');
    expect(await recorded(it.app)).toEqual(['begun', 'voted', 'voted', 'cancelled']);
    const [entry] = await it.app.storage.audit.list({ userId: BOB });
    expect(entry?.detail).toMatchObject({ channel: 'voter', who: CAROL, reason: 'he knows nothing of it' });
    expect((await it.see('alice', links[ALICE])).json).toMatchObject({ open: false, vote: 'yes' });
  });

  test('attack 268: named after, or not long enough before the beginning, without 2FA, or the user themselves → not asked', async () => {
    const it = await Election.start(start);
    await it.name([ALICE]);
    await wait(it.app, 7 * DAY - HOUR);
    await it.name([ALICE, CAROL]);
    await wait(it.app, HOUR);
    await begin(it.app);
    expect(Object.keys(await it.links())).toEqual([ALICE]);
    // Taken off the list, past the API, where the factor that this takes would end the request.
    await it.app.storage.commit([BOB], removeRecoveryContacts(BOB));
    expect(Object.keys(await it.links())).toEqual([ALICE]);
    expect((await it.answer('alice', (await it.links())[ALICE])).status).toBe(200);

    const without = await (await Election.start(start)).named();
    await without.app.storage.factors.removeAllFactors(CAROL);
    await begin(without.app);
    const links = await without.links();
    expect(Object.keys(links)).toEqual([ALICE]);
    await without.app.storage.factors.removeAllFactors(ALICE);
    expect(
      (await without.ask('alice', 'PUT', `${API}/recovery_vote`, { link: links[ALICE] ?? '', ...YES }))
        .status,
    ).toBe(404);
  });

  test('attack 269: a vote by a foreign link, without the factor, twice, ten times at once, or after the end → counts once or not', async () => {
    const it = await (await Election.start(start)).named();
    await begin(it.app);
    const links = await it.links();
    for (const [name, link] of [
      ['carol', links[ALICE]],
      ['bob', links[ALICE]],
      ['alice', 'A'.repeat(27)],
    ] as const) {
      expect((await it.see(name, link)).status).toBe(404);
      expect((await it.answer(name, link)).status).toBe(404);
    }
    const put = (json: JsonObject) => it.ask('alice', 'PUT', `${API}/recovery_vote`, json);
    expect((await put({ link: links[ALICE] ?? '', ...YES })).status).toBe(401);
    expect((await put({ link: links[ALICE] ?? '', vote: 'yes', how: ' ' })).status).toBe(400);
    expect((await it.see('alice', links[ALICE])).json.vote).toBeNull();

    const codes = it.people.alice?.recoveryCodes ?? [];
    const once = await Promise.all(
      codes
        .slice(0, 3)
        .map((code) =>
          it.prove('alice', 'PUT', `${API}/recovery_vote`, { link: links[ALICE] ?? '', ...YES }, code),
        ),
    );
    const [first, ...others] = once.map(({ status: each }) => each).sort();
    expect(first).toBe(200);
    // 429: one that would have to wait behind two others of its client until its recovery code is hashed.
    expect(others.filter((each) => each !== 409 && each !== 429)).toEqual([]);
    expect((await it.answer('alice', links[ALICE], { vote: 'no' })).status).toBe(409);
    expect((await running(it.app)).waitMs).toBe(72 * HOUR);
    await it.answer('carol', links[CAROL], { vote: 'no' });
    expect((await it.answer('carol', links[CAROL])).status).toBe(409);
    expect((await recorded(it.app)).filter((event) => event === 'voted')).toHaveLength(2);
  });

  test('attack 281: a voter is asked by mail, with a link that tells nothing by itself, and has one that cancels, on record as theirs', async () => {
    const mail = await startMailReceiver();
    try {
      const it = await Election.start(
        start,
        `notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`,
      );
      await it.named();
      await it.app.call({ target: `${API}/recovery_contacts`, token: it.tokens.carol ?? '' });
      await begin(it.app);
      const links = await it.links();
      await it.app.proxy.sendNotices();
      expect(mail.mails.map(({ text }) => text.includes(`/_2fa/recover/vote?t=${links[CAROL]}`))).toContain(
        true,
      );
      const page = await it.app.call({ target: `/_2fa/recover/vote?t=${links[CAROL]}` });
      expect(page.status).toBe(200);
      expect(page.text).not.toContain('bob');
      // Besides they are told, as all are, with a link of their own that cancels; two processes may be asked at once.
      const told = mail.mails.find(
        ({ to, text }) => to[0] === 'carol@example.org' && text.includes('cancel?t='),
      );
      const [, target = ''] = /https:\/\/matrix\.example\.org(\S+cancel\S+)/.exec(told?.text ?? '') ?? [];
      const people = await Promise.all(
        [it.app, await it.app.startAnother()].map(async ({ url }) => {
          const person = new Visitor(url);
          await person.open(target);
          return person;
        }),
      );
      await Promise.all(people.map((person) => person.send({})));
      expect(await recorded(it.app)).toEqual(['begun', 'cancelled']);
      const [entry] = await it.app.storage.audit.list({ userId: BOB });
      expect(entry?.detail).toMatchObject({ channel: 'link', who: 'voter mail c•••@e•••.org' });
    } finally {
      await mail.stop();
    }
  });

  test('attack 285: sign devices out, remove contacts, voters and addresses meanwhile → all are told as before, the wait is as long', async () => {
    const mail = await startMailReceiver();
    try {
      const it = await (
        await Election.start(start, `notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`)
      ).named();
      for (const token of Object.values(it.tokens)) {
        await it.app.call({ target: `${API}/recovery_contacts`, token });
      }
      await begin(it.app);
      await it.app.proxy.sendNotices();
      mail.mails.splice(0);
      await it.app.storage.commit([BOB], removeRecoveryContacts(BOB));
      await it.app.storage.commit([], effect('DELETE FROM notice_addresses'));
      for (const token of it.app.stub.liveTokens('bob')) it.app.stub.expire(token);
      await wait(it.app, 71 * HOUR);
      await it.app.proxy.sendNotices();
      const told = mail.mails.filter(({ text }) => text.includes('/_2fa/recover/cancel?t='));
      expect(told.map(({ to }) => to[0]).toSorted()).toEqual([
        'alice@example.org',
        'bob@example.org',
        'carol@example.org',
      ]);
      expect(await running(it.app)).toMatchObject({
        state: 'waiting',
        waitMs: 72 * HOUR,
        countedMs: 71 * HOUR,
      });
    } finally {
      await mail.stop();
    }
  });

  test('is not there where votes are off', async () => {
    const { app } = await startRecovering(start);
    const token = app.stub.signIn('alice').token;
    for (const method of ['POST', 'PUT']) {
      const answer = await app.call({
        method,
        target: `${API}/recovery_vote`,
        token,
        json: { link: 'x', vote: 'no' },
      });
      expect(answer.status).toBe(404);
    }
    expect((await app.call({ target: '/_2fa/recover/vote?t=x' })).status).toBe(404);
  });
});
