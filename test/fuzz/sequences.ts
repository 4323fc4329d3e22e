import fc from 'fast-check';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { systemClock } from '../../src/system/clock.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { HttpAnswer } from '../support/http.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { NO_LIMITS } from './bodies.ts';
import type { Campaign } from './campaign.ts';
import { type Command, type codeKinds, command } from './sequence_inputs.ts';
import { type Asked, Ledger, type Person } from './sequence_model.ts';

const V3 = '/_matrix/client/v3';

const CALLS: readonly {
  readonly method: 'POST' | 'DELETE';
  readonly target: string;
  readonly body: JsonObject;
}[] = [
  { method: 'POST', target: `${V3}/delete_devices`, body: { devices: ['OLDPHONE'] } },
  {
    method: 'POST',
    target: `${V3}/account/3pid/delete`,
    body: { medium: 'email', address: 'x@example.org' },
  },
  { method: 'POST', target: `${V3}/account/password`, body: { new_password: '', logout_devices: false } },
  { method: 'DELETE', target: `${V3}/devices/OLDPHONE`, body: {} },
  { method: 'POST', target: `${V3}/account/two-factor/recovery`, body: {} },
  { method: 'POST', target: `${V3}/account/two-factor/totp`, body: { name: 'second' } },
];

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

/** Two people with 2FA, two tokens each, and everything they can do to their own and to each other's sessions. */
export const uiaSequences: Campaign = {
  name: 'sequences',
  runsPerWorld: 15,
  begin: async (round) => {
    const personality = personalities[round % personalities.length] ?? 'synapse';
    // The homeserver's clock does not jump: what it makes of its own sessions then is not what is judged here.
    const app = await startApp({ personality, config: NO_LIMITS, clock: systemClock });
    const counts: Record<string, number> = { requests: 0, granted: 0, acted: 0, 'codes accepted': 0 };
    let plays = 0;
    const property = fc.asyncProperty(
      fc.array(command, { minLength: 1, maxLength: 30 }),
      async (commands) => {
        plays++;
        const play = await Play.begin(app, counts, [`bob${plays}`, `dave${plays}`]);
        for (const next of commands) await play.perform(next);
      },
    );
    return { property, counts, end: () => app.stop() };
  },
};

/** One sequence, played by two people who no one else is. */
class Play {
  readonly #ledger: Ledger;
  #last: Asked | undefined;

  private constructor(
    private readonly app: TestApp,
    private readonly counts: Record<string, number>,
    private readonly people: readonly Person[],
  ) {
    this.#ledger = new Ledger(app.clock, people, counts);
  }

  static async begin(app: TestApp, counts: Record<string, number>, names: readonly string[]): Promise<Play> {
    app.clock.advance(24 * 3_600_000);
    const people = await Promise.all(
      names.map(async (name): Promise<Person> => {
        const password = `password of ${name}`;
        app.stub.addUser({ name, password });
        const tokens = ['PHONE', 'LAPTOP'].map((device) => app.stub.signIn(name, device).token);
        return {
          name,
          userId: `@${name}:localhost`,
          password,
          tokens,
          factor: await app.enrol(name, 2),
          lastCode: '000000',
        };
      }),
    );
    return new Play(app, counts, people);
  }

  async perform(next: Command): Promise<void> {
    this.#renewDeadTokens();
    const person = this.#person(next.who);
    switch (next.kind) {
      case 'login':
        return this.#ask(this.#login(next, person), next.twice);
      case 'ask':
        return this.#ask(this.#guarded(next, person, undefined), next.twice);
      case 'one_shot':
        return this.#ask(this.#guarded(next, person, this.#passwordStage(next, person)), next.twice);
      case 'code':
      case 'password':
      case 'state':
        return this.#goOn(next);
      case 'replay':
        return this.#last === undefined ? undefined : this.#ask(this.#last, next.twice);
      case 'jump':
        this.app.clock.advance(next.jumpMs);
        return undefined;
      case 'log_out':
      case 'log_out_all':
        return this.#logOut(next, person);
      case 'turn_off':
        return this.#ask(this.#turnOff(next, person), next.twice);
      case 'turn_on':
        return this.#turnOn(person);
    }
  }

  /** Takes up some session that was seen: as its owner or as another user, with its target and body or others. */
  async #goOn(next: Command): Promise<void> {
    const talk = this.#ledger.talkAt(next.talk);
    if (talk === undefined) return;
    const owner = this.#person(this.people.indexOf(talk.person) + (next.stranger ? 1 : 0));
    const auth = { ...this.#stageOf(next, owner), session: talk.id };
    const body =
      next.body === 'none' ? {} : next.body === 'same' ? (talk.body ?? {}) : { devices: ['PHONE'] };
    const { method, target, isLogin } = talk;
    if (isLogin) return this.#ask({ method, target, json: { ...body, auth } }, next.twice);
    const token =
      owner.tokens[(talk.person.tokens.indexOf(talk.token) + (next.otherToken ? 1 : 0)) % 2] ?? '';
    const moved = next.otherTarget ? this.#callOf(next, owner) : { method, target };
    return this.#ask({ ...moved, token, json: { ...body, auth } }, next.twice);
  }

  #stageOf(next: Command, owner: Person): JsonObject {
    if (next.kind === 'state') return {};
    return next.kind === 'password' ? this.#passwordStage(next, owner) : this.#codeStage(next, owner);
  }

  #codeStage(next: Command, owner: Person): JsonObject {
    const isRecovery = next.code === 'recovery' || next.code === 'spent recovery';
    const type = isRecovery ? 'm.login.2fa.recovery' : 'm.login.2fa.totp';
    return { type, token: this.#code(next.code, owner) };
  }

  #passwordStage(next: Command, owner: Person): JsonObject {
    const named = next.stranger && next.otherTarget ? this.#other(owner) : owner;
    const identifier = { type: 'm.id.user', user: named.userId };
    return { type: 'm.login.password', identifier, password: this.#password(next, owner) };
  }

  #password(next: Command, owner: Person): string {
    const password = { right: owner.password, wrong: 'wrong', others: this.#other(owner).password }[
      next.password
    ];
    return next.appended ? `${password} ${this.#code(next.code, owner)}` : password;
  }

  #code(kind: (typeof codeKinds)[number], owner: Person): string {
    const unused = (person: Person) => this.#ledger.unusedRecoveryCodes(person)[0] ?? 'AAAA-AAAA-AAAA';
    switch (kind) {
      case 'right':
        return this.app.code(owner.factor);
      case 'next':
        return this.app.code(owner.factor, 1);
      case 'old':
        return this.app.code(owner.factor, -3);
      case 'wrong':
        return this.app.wrongCode(owner.factor);
      case 'spent':
      case 'spent recovery':
        return owner.lastCode;
      case 'others':
        return this.app.code(this.#other(owner).factor);
      case 'recovery':
        return unused(owner);
    }
  }

  #login(next: Command, person: Person): Asked {
    const more = next.otherTarget ? { device_id: 'PHONE' } : {};
    const body = passwordLogin(person.name, this.#password(next, person), more);
    const auth = next.otherToken ? { auth: this.#codeStage(next, person) } : {};
    return { method: 'POST', target: LOGIN, json: { ...body, ...auth } };
  }

  #callOf(next: Command, person: Person): { method: 'POST' | 'DELETE'; target: string; body: JsonObject } {
    const { method, target, body } = CALLS[next.call % CALLS.length] ?? {
      method: 'POST',
      target: LOGIN,
      body: {},
    };
    // The new password is the old one, so that what is right stays right.
    return {
      method,
      target,
      body: 'new_password' in body ? { ...body, new_password: person.password } : body,
    };
  }

  #guarded(next: Command, person: Person, auth: JsonObject | undefined): Asked {
    const { method, target, body } = this.#callOf(next, person);
    const json = auth === undefined ? body : { ...body, auth };
    return { method, target, token: person.tokens[next.token % 2] ?? '', json };
  }

  #turnOff(next: Command, person: Person): Asked {
    const target = `${V3}/account/two-factor/totp`;
    const auth = this.#passwordStage({ ...next, appended: true }, person);
    return { method: 'DELETE', target, token: person.tokens[next.token % 2] ?? '', json: { auth } };
  }

  async #turnOn(person: Person): Promise<void> {
    if (await this.app.storage.factors.isEnrolled(person.userId)) return;
    this.#ledger.turnOn(person, await this.app.enrol(person.name, 2));
  }

  async #logOut(next: Command, person: Person): Promise<void> {
    const at = next.token % 2;
    const token = person.tokens[at] ?? '';
    const target = next.kind === 'log_out' ? `${V3}/logout` : `${V3}/logout/all`;
    const answer = await this.app.post(target, {}, token);
    const { logoutAll } = this.app.stub.personality.tokens;
    if (next.kind === 'log_out_all' && logoutAll !== 'accepted' && answer.status === logoutAll.status) return;
    if (answer.status !== 200) throw new Error(`${target} was answered ${answer.status} ${answer.text}`);
    this.#ledger.loggedOut(person, next.kind === 'log_out' ? token : undefined);
  }

  /** A logout ends tokens, and on some homeservers another login on the same device does. */
  #renewDeadTokens(): void {
    for (const person of this.people) {
      person.tokens.forEach((each, at) => {
        if (!this.app.stub.isLive(each)) person.tokens[at] = this.app.stub.signIn(person.name).token;
      });
    }
  }

  async #ask(asked: Asked, twice: boolean): Promise<void> {
    const { stub } = this.app;
    for (const { name } of this.people) stub.state.openDevice(stub.user(name), 'OLDPHONE', null, 0);
    stub.clear();
    this.#last = asked;
    const enrolled = await this.#enrolled();
    const answers = await Promise.all(Array.from({ length: twice ? 2 : 1 }, () => this.#send(asked)));
    this.counts.requests = (this.counts.requests ?? 0) + answers.length;
    const actions = stub
      .requestsBesideLookups()
      .filter(
        ({ status, endpoint }) =>
          status === 200 && endpoint !== 'login' && endpoint !== 'logout' && endpoint !== undefined,
      );
    try {
      this.#ledger.judge(asked, answers, actions, enrolled, this.#liveTokens());
    } catch (error) {
      const told = answers.map(({ status, text }) => `${status} ${text}`).join('\nand ');
      throw new Error(`${(error as Error).message}\n${JSON.stringify(asked)}\n→ ${told}`, { cause: error });
    }
  }

  #send({ method, target, token, json }: Asked): Promise<HttpAnswer> {
    const credentials = token === undefined ? {} : { token };
    return this.app.call({ method, target, json, signal: AbortSignal.timeout(60_000), ...credentials });
  }

  async #enrolled(): Promise<ReadonlySet<Person>> {
    const found = await Promise.all(
      this.people.map(async (person) =>
        (await this.app.storage.factors.isEnrolled(person.userId)) ? [person] : [],
      ),
    );
    return new Set(found.flat());
  }

  #liveTokens(): ReadonlyMap<string, Person> {
    return new Map(
      this.people.flatMap((person) =>
        this.app.stub.liveTokens(person.name).map((token) => [token, person] as const),
      ),
    );
  }

  #person(which: number): Person {
    return this.people[which % this.people.length] as Person;
  }

  #other(person: Person): Person {
    return this.#person(this.people.indexOf(person) + 1);
  }
}
