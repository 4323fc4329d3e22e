import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../tools/free_port.ts';
import { startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { MINUTE, PASSWORD, STEP, signIn, submit } from './support.ts';

/** What a commit is called on its way, and its answer on the way back. */
const COMMIT = 'COMMIT\0';

type Moment = 'before' | 'after';

/**
 * The way to the database. It is cut once: before the n-th commit, or when that is done and its answer on the way. It can
 * stay cut.
 */
class Way {
  private commits = 0;
  private cut: { readonly moment: Moment; readonly nth: number; readonly stays: boolean } | undefined;
  private isShut = false;
  private readonly server: Server;

  constructor(socketPath: string) {
    this.server = createServer((client) => this.lead(client, connect(socketPath)));
  }

  open(port: number): Promise<void> {
    return new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
  }

  close(): void {
    this.server.close();
  }

  cutAt(moment: Moment, nth: number, stays: boolean): void {
    this.commits = 0;
    this.cut = { moment, nth, stays };
  }

  /** Whether it was cut since. It is whole from now on. */
  heal(): boolean {
    const wasCut = this.cut === undefined;
    this.cut = undefined;
    this.isShut = false;
    return wasCut;
  }

  private lead(client: Socket, upstream: Socket): void {
    let isLastAnswer = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    if (this.isShut) end();
    client.on('data', (bytes) => {
      const moment = bytes.includes(COMMIT) ? this.pass() : undefined;
      if (moment === 'before') return end();
      isLastAnswer = moment === 'after';
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (isLastAnswer && bytes.includes(COMMIT)) end();
      else client.write(bytes);
    });
  }

  /** When this commit is cut. */
  private pass(): Moment | undefined {
    this.commits += 1;
    if (this.commits !== this.cut?.nth) return undefined;
    const { moment, stays } = this.cut;
    this.isShut = stays;
    this.cut = undefined;
    return moment;
  }
}

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

suite('F-2: a connection that is lost at a commit of a sign-in', () => {
  let database: TestDatabase;
  let way: Way;
  let app: TestApp;

  beforeEach(async () => {
    database = await TestDatabase.make(programs);
    way = new Way(join(database.socketFolder, '.s.PGSQL.5432'));
    const port = await freePort();
    await way.open(port);
    app = await startApp({ storage: `{ type: postgres, url: "${database.through(port)}" }` });
  });

  afterEach(async () => {
    await app.stop();
    way.close();
    await database.drop();
  });

  /** What a client got: statuses, and a token if the last one is 200. */
  interface Got {
    readonly statuses: number[];
    readonly tokens: string[];
  }

  async function signInWithCode(name: string, user: Enrolled): Promise<Got> {
    const challenge = await signIn(app, name);
    if (challenge.status !== 401) return { statuses: [challenge.status], tokens: [] };
    const { status, body } = await submit(app, challenge, app.code(user));
    return { statuses: [401, status], tokens: status === 200 ? [body.access_token] : [] };
  }

  async function signInAtOnce(name: string, user: Enrolled): Promise<Got> {
    const { status, body } = await signIn(app, name, `${PASSWORD} ${app.code(user)}`);
    return { statuses: [status], tokens: status === 200 ? [body.access_token] : [] };
  }

  /** A client tries again; a login that is still being finished is waited for. */
  async function signInAgain(name: string, user: Enrolled): Promise<string[]> {
    for (const pause of [STEP, 4 * MINUTE]) {
      app.clock.advance(pause);
      const { tokens } = await signInWithCode(name, user);
      if (tokens.length > 0) return tokens;
    }
    throw new Error(`${name} gets in no more`);
  }

  /** A sign-in whose n-th commit is cut, and the next one. @returns what it was answered if it has no such commit */
  async function cutSignIn(
    nth: number,
    moment: Moment,
    { stays, by }: { readonly stays: boolean; readonly by: typeof signInWithCode },
  ): Promise<number[] | undefined> {
    const name = `${moment}${nth}`;
    app.stub.addUser({ name, password: PASSWORD });
    const user = await app.enrol(name);
    way.cutAt(moment, nth, stays);
    const first = await by(name, user);
    if (!way.heal()) return first.statuses;
    // None got a token without an answer that says so.
    expect(first.statuses.at(-1)).toBe(first.tokens.length > 0 ? 200 : 503);
    const second = await signInAgain(name, user);
    app.clock.advance(10 * MINUTE);
    await app.proxy.keepHouse();
    const live = app.stub.liveTokens(name);
    expect({ nth, live }).toEqual({ nth, live: expect.arrayContaining([...first.tokens, ...second]) });
    expect({ nth, live: live.length }).toEqual({ nth, live: first.tokens.length + second.length });
    return undefined;
  }

  const MOMENTS: readonly [Moment, string, boolean][] = [
    ['before', '', false],
    ['after', '', false],
    ['before', ', and it stays away for a while', true],
    ['after', ', and it stays away for a while', true],
  ];

  test.each(MOMENTS)(
    'attack 200: %s each of them%s: no client gets a token that is dead, and no token is left without a client',
    async (moment, _how, stays) => {
      let answered: number[] | undefined;
      let nth = 0;
      while (answered === undefined) answered = await cutSignIn(++nth, moment, { stays, by: signInWithCode });
      expect(answered).toEqual([401, 200]);
      // One holds the login, one accepts the code and gives the login out.
      expect(nth).toBeGreaterThan(2);
    },
  );

  test.each(MOMENTS)(
    'attack 200: %s the one of a sign-in whose code came with the password%s: the same',
    async (moment, _how, stays) => {
      expect(await cutSignIn(1, moment, { stays, by: signInAtOnce })).toBeUndefined();
      expect(await cutSignIn(2, moment, { stays, by: signInAtOnce })).toEqual([200]);
    },
  );
});
