import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { call } from '../support/http.ts';
import { preloaded, ServeProcess } from '../support/serve_process.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import { AUTHORIZE, leadsTo, registerApp, requestOf, VERIFIER, WEB_BACK } from './asking.ts';
import { TOKEN, tokensIn } from './oauth_app.ts';

const PASSWORD = 'a password';
const MINUTE = 60_000;
/** The processes may take long to start where much else goes on. */
const PATIENT = 'login: { hold_ttl: 30m }\nuia: { session_ttl: 30m }';
/** More than a consent has points: it takes its turn, makes the code and uses the sign-in, keeps the address. */
const MOST_POINTS = 7;

/** Someone who is asked whether an app gets access. */
interface Asked {
  readonly name: string;
  readonly userId: string;
  readonly visitor: Visitor;
  readonly yes: Readonly<Record<string, string>>;
  readonly action: string;
}

describeOnBothDatabases('kill -9 at a consent', (start) => {
  let running: ServeProcess | undefined;

  afterEach(async () => {
    await running?.kill();
    running = undefined;
  });

  async function askedIn(app: TestApp, clientId: string): Promise<Asked[]> {
    const names = Array.from({ length: MOST_POINTS }, (_, at) => `user${at + 1}`);
    app.clock.set(Date.now() - MINUTE);
    const enrolled = [];
    for (const name of names) enrolled.push(await app.enrol(name));
    app.clock.set(Date.now());
    const all: Asked[] = [];
    for (const [at, name] of names.entries()) {
      const visitor = new Visitor(app.url);
      const owner = enrolled[at];
      if (owner === undefined) throw new Error('all are enrolled');
      await visitor.open(requestOf({ client_id: clientId }));
      await visitor.send({ user: name, password: PASSWORD });
      const consent = await visitor.send({ code: app.code(owner) });
      const form = formsOf(consent.text).find(({ fields }) => 'decision' in fields);
      expect(form).toBeDefined();
      const yes = { ...form?.fields, decision: 'allow' };
      all.push({
        name,
        userId: owner.userId,
        visitor,
        yes,
        action: form?.action.replaceAll('&amp;', '&') ?? '',
      });
    }
    return all;
  }

  /** @returns the points that were passed, the last one that at which the process died; and what the browser got */
  async function killedAt(app: TestApp, point: number, { visitor, yes, action }: Asked) {
    const serve = await ServeProcess.start(join(app.directory, 'config.yaml'), {
      preload: [preloaded('fault_points', { at: String(point), from: AUTHORIZE })],
    });
    running = serve;
    visitor.url = serve.url;
    const answer = await visitor.postOnly(yes, {}, action).catch(() => undefined);
    await serve.kill();
    running = undefined;
    const points = serve.log.split('\n').flatMap((line) => /^point \d+: (.+)$/.exec(line)?.[1] ?? []);
    return { points, answer };
  }

  const yesesOf = async (app: TestApp, userId: string) =>
    (await app.storage.audit.list({ userId })).filter(({ event }) => event === 'oauth.authorized').length;

  function exchange(app: TestApp, clientId: string, code: string) {
    return call(app.url, {
      method: 'POST',
      target: TOKEN,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        ...{ grant_type: 'authorization_code', code, client_id: clientId },
        ...{ redirect_uri: WEB_BACK, code_verifier: VERIFIER },
      }).toString(),
    });
  }

  test('attack 333: at each point one yes makes one code or none, which gets in or is lost, and no login stays', async () => {
    const users = Array.from({ length: MOST_POINTS }, (_, at) => ({
      name: `user${at + 1}`,
      password: PASSWORD,
    }));
    const app = await start({
      users,
      config: `oauth: { enabled: true }
${PATIENT}`,
    });
    const clientId = await registerApp(app);
    const asked = await askedIn(app, clientId);
    await app.shutDown();
    const died: Awaited<ReturnType<typeof killedAt>>[] = [];
    for (const [at, each] of asked.entries()) {
      died.push(await killedAt(app, at + 1, each));
      if (died.at(-1)?.answer !== undefined) break;
    }
    // The last one was let through to its end.
    expect(died.at(-1)?.answer?.headers.location).toMatch(/^https:\/\/app\.example\.com\/back\?code=/);
    expect(new Set(died.flatMap(({ points }) => points))).toEqual(new Set(['commit']));

    // What the process that died had reserved is free again.
    app.clock.set(Date.now() + 1.1 * MINUTE);
    await app.start();
    const before: number[] = [];
    for (const { name, userId, visitor, yes, action } of asked.slice(0, died.length)) {
      const yeses = await yesesOf(app, userId);
      before.push(yeses);
      visitor.url = app.url;
      await visitor.post(yes, {}, action);
      if (yeses === 0) await visitor.send({ decision: 'allow' });
      // The one yes there is: made now, or before, its address shown once more or lost with the process.
      expect(await yesesOf(app, userId)).toBe(1);
      const code =
        visitor.last?.headers.location === undefined ? null : leadsTo(visitor.last).searchParams.get('code');
      if (yeses === 0) expect(code).not.toBeNull();
      const tokens = code === null ? undefined : tokensIn(await exchange(app, clientId, code));
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens(name)).toEqual(tokens === undefined ? [] : [tokens.access]);
    }
    // It died before the code was made, and behind that.
    expect(before[0]).toBe(0);
    expect(before.slice(-2)).toEqual([1, 1]);
  }, 300_000);
});
