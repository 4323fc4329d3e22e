import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openRecipient } from '../../src/notify/recovery_notices.ts';
import { ask } from '../../src/storage/statement.ts';
import { listRecipients } from '../../src/storage/tables/recovery_notices.ts';
import { findRecoveries } from '../../src/storage/tables/recovery_requests.ts';
import { MINUTE } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import { call } from '../support/http.ts';
import { operate } from '../support/operate.ts';
import { preloaded, ServeProcess } from '../support/serve_process.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import { arrived, CANCEL_PAGE, PAGE, seedShown, stopBy } from './recover_visitor.ts';
import { BEGIN, credentials, GROUNDS, PASSWORD, startRecovering } from './recovering.ts';

/** The owner in their clients and by mail, and the operator. */
const RECIPIENTS = 3;
/** Longer than anything that a process has reserved, or holds, when it dies. */
const RESERVED_MS = 30 * MINUTE;

interface Owner {
  readonly name: string;
  readonly userId: string;
  readonly address: string;
  readonly enrolled: Enrolled;
}

/** What a step may change. */
interface Seen {
  readonly states: readonly string[];
  readonly events: readonly string[];
  readonly authenticators: readonly string[];
}

/** Sends the one request of a step to the process at this address. */
type Send = (url: string) => Promise<unknown>;

interface Step {
  readonly name: string;
  /** Where that request goes, before which nothing is cut off; left out, it is from its login on. */
  readonly from?: string;
  /** The point that is tried first, not far from its commit. */
  readonly first: number;
  /** What goes before it. */
  readonly ready: (owner: Owner) => Promise<Send>;
  /** What a person does whose answer was lost. */
  readonly again: (owner: Owner) => Promise<unknown>;
  readonly before: Seen;
  readonly after: Seen;
  /** How the subject of its messages ends. */
  readonly told: string;
}

/** What was seen of a step that was cut off. */
interface Killed {
  readonly isDone: boolean;
  readonly isAnswered: boolean;
}

let mail: MailReceiver;
beforeAll(async () => {
  mail = await startMailReceiver();
});
afterAll(() => mail.stop());

describeOnSharedDatabases('kill -9 in a recovery', (start) => {
  let app: TestApp;
  let vault: SealingVault;
  let owners = 0;
  let running: ServeProcess | undefined;

  beforeAll(async () => {
    mail.mails.splice(0);
    ({ app } = await startRecovering(start, '{ enabled: true, operators: [ops@example.org] }', {
      config: `policy: { administrators: { detect: false } }
notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`,
    }));
    vault = new SealingVault(loadKeyRing(join(app.directory, 'keys.json')), systemRandom);
  });

  afterEach(async () => {
    await running?.kill();
    running = undefined;
  });

  async function newOwner(): Promise<Owner> {
    owners += 1;
    const [name, address] = [`owner${owners}`, `owner${owners}@example.org`];
    app.stub.addUser({ name, password: PASSWORD, emails: [address] });
    // A process of its own has the time of the machine.
    app.clock.set(Date.now());
    return { name, userId: `@${name}:localhost`, address, enrolled: await app.enrol(name, 0) };
  }

  const begun = ({ name }: Owner) => app.post(BEGIN, credentials(name));
  const requestsOf = ({ userId }: Owner) => app.storage.read(findRecoveries('user_id = :userId', { userId }));

  async function linkOf(owner: Owner): Promise<string> {
    const [request] = await requestsOf(owner);
    const [first] = await app.storage.read(listRecipients(request?.id ?? ''));
    return first === undefined ? '' : `${CANCEL_PAGE}?t=${openRecipient(vault, first).token}`;
  }

  /** A browser on the page on which a new authenticator is set up; and what its last form sends. */
  async function settingUp({ name }: Owner, claim: string): Promise<Send> {
    const visitor = await arrived(app, name);
    await visitor.send({ claim_code: claim });
    const seed = seedShown(visitor);
    const form = formsOf(visitor.last?.text ?? '').find(({ fields }) => fields.step === 'set_up_code');
    return (url) => {
      visitor.url = url;
      const fields = { ...form?.fields, code: codeAt(seed, app.clock.now()) };
      return visitor.postOnly(fields, {}, form?.action);
    };
  }

  const claims = new Map<string, string>();

  const steps: readonly Step[] = [
    {
      name: 'its beginning',
      first: 4,
      ready: async ({ name }) => {
        return (url) => call(url, { target: BEGIN, json: credentials(name) });
      },
      again: begun,
      before: { states: [], events: [], authenticators: ['old'] },
      after: { states: ['waiting'], events: ['begun'], authenticators: ['old'] },
      told: 'was started',
    },
    {
      name: 'its cancellation by a link',
      from: CANCEL_PAGE,
      first: 1,
      ready: async (owner) => {
        await begun(owner);
        const link = await linkOf(owner);
        const visitor = new Visitor(app.url);
        const page = (await visitor.open(link)).text;
        return (url) => {
          visitor.url = url;
          return visitor.postOnly(formsOf(page)[0]?.fields ?? {}, {}, link);
        };
      },
      again: async (owner) => stopBy(app, await linkOf(owner)),
      before: { states: ['waiting'], events: ['begun'], authenticators: ['old'] },
      after: { states: ['cancelled'], events: ['begun', 'cancelled'], authenticators: ['old'] },
      told: 'was cancelled',
    },
    {
      name: 'its last step',
      from: PAGE,
      first: 4,
      ready: async (owner) => {
        const claim = String((await begun(owner)).json.claim_code);
        claims.set(owner.name, claim);
        await operate(app, 'recovery', 'approve', owner.userId, ...GROUNDS);
        return settingUp(owner, claim);
      },
      again: async (owner) => {
        if ((await seen(owner)).states[0] !== 'open') return;
        const send = await settingUp(owner, claims.get(owner.name) ?? '');
        await send(app.url);
      },
      before: { states: ['open'], events: ['begun', 'approved'], authenticators: ['old'] },
      after: { states: ['finished'], events: ['begun', 'approved', 'finished'], authenticators: ['new'] },
      told: 'it has a new authenticator',
    },
  ];

  async function seen(owner: Owner): Promise<Seen> {
    const { userId, enrolled } = owner;
    const entries = await app.storage.audit.list({ userId });
    const authenticators = await app.storage.factors.authenticators(userId);
    const prefix = 'recovery_request.';
    return {
      states: (await requestsOf(owner)).map(({ state }) => state),
      events: entries
        .flatMap(({ event }) => (event.startsWith(prefix) ? [event.slice(prefix.length)] : []))
        .toReversed(),
      authenticators: authenticators.map(({ id }) => (id === enrolled.authenticatorId ? 'old' : 'new')),
    };
  }

  /** Who was told of a step; a message that was sent once more has the same id. */
  async function toldOf({ userId }: Owner, subject: string): Promise<string[]> {
    await app.proxy.sendNotices();
    const mails = mail.mails.filter(
      ({ text, header }) => text.includes(userId) && header('Subject')?.endsWith(subject),
    );
    const byId = new Map(mails.map(({ to, header }) => [header('Message-ID'), to[0] ?? '']));
    return [...byId.values()].sort();
  }

  /** Someone new takes a step, the process dies at a point of it, and they try again at another process. */
  async function killedAt(step: Step, point: number): Promise<Killed> {
    const { from, before, after, told } = step;
    const owner = await newOwner();
    const { token: session } = app.stub.signIn(owner.name, 'PHONE');
    const send = await step.ready(owner);
    // A message says how a request stands when it is sent: those of what went before go out now.
    await app.proxy.sendNotices();
    const settings = { at: String(point), ...(from !== undefined && { from }) };
    const serve = await ServeProcess.start(join(app.directory, 'config.yaml'), {
      preload: [preloaded('fault_points', settings)],
    });
    running = serve;
    const isAnswered = await send(serve.url).then(
      () => true,
      () => false,
    );
    await serve.kill();
    running = undefined;

    const left = await seen(owner);
    expect(isAnswered ? [after] : [before, after]).toContainEqual(left);
    app.live(RESERVED_MS);
    await step.again(owner);
    expect(await seen(owner)).toEqual(after);
    await app.proxy.keepHouse();
    expect(app.stub.isLive(session)).toBe(after.authenticators[0] === 'old');
    const [request] = await requestsOf(owner);
    const { id: requestId = '' } = request ?? {};
    const rows = ask<object>('SELECT id FROM recovery_notices WHERE request_id = :requestId', { requestId });
    expect(await app.storage.read(rows)).toHaveLength(RECIPIENTS);
    expect(await toldOf(owner, told)).toEqual(['ops@example.org', owner.address].sort());
    return { isDone: JSON.stringify(left) === JSON.stringify(after), isAnswered };
  }

  /** Points further and further behind, then between: the last one is next to the commit that decides the step. */
  async function aroundTheCommit(step: Step): Promise<readonly Killed[]> {
    const all: Killed[] = [];
    const isDoneAt = async (point: number) => {
      const killed = await killedAt(step, point);
      all.push(killed);
      return killed.isDone;
    };
    let before = 0;
    let behind = step.first;
    while (!(await isDoneAt(behind))) [before, behind] = [behind, 2 * behind];
    while (behind - before > 1) {
      const point = Math.floor((before + behind) / 2);
      if (await isDoneAt(point)) behind = point;
      else before = point;
    }
    // Commits of something else may have stood between: then it was answered first.
    for (let tries = 0; tries < 10 && !all.some(isCutBehind); tries += 1) {
      await isDoneAt(Math.max(1, behind - (tries % 2)));
    }
    return all;
  }

  describe.each(steps.map((step) => [step.name, step] as const))('%s', (_name, step) => {
    test('attack 287: before and behind its commit → all of it is there, or nothing; tried again it is done once, and all are told once', async () => {
      const all = await aroundTheCommit(step);
      expect(all.some(isCutBehind)).toBe(true);
      // A cancellation is one commit, before which there is nothing to be cut off.
      if (step.from !== CANCEL_PAGE) expect(all.some(({ isDone }) => !isDone)).toBe(true);
    });
  });
});

/** Its answer was lost, and it is done. */
function isCutBehind({ isDone, isAnswered }: Killed): boolean {
  return isDone && !isAnswered;
}
