import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';
import type { Clock } from '../../src/system/clock.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import type { RecordedRequest } from '../support/stub/stub.ts';

const STEP_MS = 30_000;
const SESSION_MS = 10 * 60_000;
const TOTP = 'm.login.2fa.totp';
const RECOVERY = 'm.login.2fa.recovery';

export interface Person {
  readonly name: string;
  readonly userId: string;
  readonly password: string;
  /** Access tokens; replaced when they are logged out. */
  readonly tokens: string[];
  factor: Enrolled;
  /** A code that was accepted before. */
  lastCode: string;
}

export interface Asked {
  readonly method: 'POST' | 'DELETE';
  readonly target: string;
  readonly token?: string;
  readonly json: JsonObject;
}

/** One of our sessions as it was seen from outside. */
interface Talk {
  readonly id: string;
  readonly isLogin: boolean;
  readonly person: Person;
  readonly token: string;
  readonly method: 'POST' | 'DELETE';
  readonly target: string;
  readonly expiresAt: number;
  body: JsonObject | undefined;
  /** Whether a code of this person was accepted in it. */
  proven: boolean;
  over: boolean;
}

/** A code in a request that could be accepted: of this person, in its time, never accepted before. */
interface FreshCode {
  readonly text: string;
  /** The TOTP step; undefined for a recovery code. */
  readonly step: number | undefined;
}

/**
 * What may succeed: written from the promises, without a look at how they are kept. It only knows what was sent
 * and what came back. A login of a user with 2FA needs their password and a fresh code; a guarded request needs
 * both in one session of that token, that target and that body; no code counts twice.
 */
export class Ledger {
  readonly #talks: Talk[] = [];
  readonly #lastStep = new Map<Person, number>();
  readonly #usedRecovery = new Set<string>();
  readonly #recovery = new Map<Person, readonly string[]>();

  constructor(
    private readonly clock: Clock,
    private readonly people: readonly Person[],
    private readonly counts: Record<string, number>,
  ) {
    for (const person of people) this.#recovery.set(person, person.factor.recoveryCodes);
  }

  /** The session seen last, or the one `back` before it. */
  talkAt(back: number): Talk | undefined {
    return this.#talks.at(-1 - back) ?? this.#talks.at(-1);
  }

  unusedRecoveryCodes(person: Person): string[] {
    return (this.#recovery.get(person) ?? []).filter((code) => !this.#usedRecovery.has(code));
  }

  turnOn(person: Person, factor: Enrolled): void {
    person.factor = factor;
    this.#lastStep.delete(person);
    this.#recovery.set(person, factor.recoveryCodes);
    this.#endTalks(person);
  }

  /** One token of a person, or all of them, are logged out. */
  loggedOut(person: Person, token: string | undefined): void {
    for (const talk of this.#talks) {
      if (talk.person === person && (token === undefined || talk.token === token)) talk.over = true;
    }
  }

  /** @throws Error if anything succeeded that may not */
  judge(
    asked: Asked,
    answers: readonly HttpAnswer[],
    actions: readonly RecordedRequest[],
    enrolled: ReadonlySet<Person>,
    live: ReadonlyMap<string, Person>,
  ): void {
    const successes = answers.filter(({ status }) => status === 200);
    const inOrder = [...successes, ...answers.filter(({ status }) => status !== 200)];
    for (const answer of answers) this.#requireNoLeak(answer, enrolled, live);
    for (const answer of answers) {
      if (answer.status >= 500) throw new Error('a failure of ours');
    }
    if (asked.token === undefined) {
      for (const answer of inOrder) this.#judgeLogin(asked, answer, enrolled);
      return;
    }
    const person = this.people.find(({ tokens }) => tokens.includes(asked.token ?? ''));
    if (person === undefined || !enrolled.has(person)) return;
    const done = Math.max(successes.length, actions.length);
    if (done > 1) throw new Error(`it was done ${done} times`);
    for (const answer of inOrder) this.#judgeGuarded(asked, person, answer);
    for (const action of actions) requireSameRequest(asked, action);
  }

  #judgeLogin(asked: Asked, answer: HttpAnswer, enrolled: ReadonlySet<Person>): void {
    const talk = this.#named(asked);
    const { session, completed } = answer.json;
    const sent = withoutAuth(asked.json);
    if (
      answer.status === 401 &&
      typeof session === 'string' &&
      Array.isArray(completed) &&
      completed.length > 0
    ) {
      const person = talk?.id === session ? talk.person : this.#personNamed(sent, talk);
      if (person === undefined) throw new Error('a challenge for nobody');
      if (talk?.id !== session) this.#requireRightPassword(person, sent, talk);
      this.#note({ id: session, isLogin: true, person, token: '', body: talk?.body ?? sent }, asked);
      return;
    }
    if (answer.status !== 200) return;
    this.counts.granted = (this.counts.granted ?? 0) + 1;
    const person = this.people.find(({ userId }) => userId === answer.json.user_id);
    if (person === undefined) throw new Error('a login of nobody that we know');
    if (!enrolled.has(person)) return;
    const code = this.#freshCode(asked.json, person);
    if (code === undefined) throw new Error('a login without a fresh code');
    this.#requireRightPassword(person, sent, talk);
    const isRepeated =
      Object.keys(sent).length === 0 || talk === undefined || isDeepStrictEqual(sent, talk.body);
    const isAlone =
      sent.password !== undefined && (talk === undefined || talk.over || talk.expiresAt <= this.clock.now());
    if (!isRepeated && !isAlone) throw new Error('a login with the session of another body');
    this.#spend(person, code);
  }

  #requireRightPassword(person: Person, sent: JsonObject, talk: Talk | undefined): void {
    if (talk?.person === person && talk.isLogin) return;
    if (this.#isRightPassword(sent.password, person)) return;
    throw new Error('no right password was sent');
  }

  #judgeGuarded(asked: Asked, person: Person, answer: HttpAnswer): void {
    const auth = isJsonObject(asked.json.auth) ? asked.json.auth : undefined;
    const talk = this.#named(asked);
    const body = withoutAuth(asked.json);
    const isItsOwn =
      talk !== undefined &&
      !talk.isLogin &&
      !talk.over &&
      talk.expiresAt > this.clock.now() &&
      talk.token === asked.token &&
      talk.method === asked.method &&
      talk.target === asked.target &&
      (isEmpty(body) || talk.body === undefined || isDeepStrictEqual(body, talk.body));
    const code = this.#freshCode(asked.json, person);
    const mayProve = code !== undefined && (isItsOwn || auth?.session === undefined);

    if (answer.status === 200) {
      this.counts.acted = (this.counts.acted ?? 0) + 1;
      const isProven = (isItsOwn && talk.proven) || (mayProve && auth?.type === 'm.login.password');
      if (!isProven) throw new Error('it was done without a code');
      if (!this.#isRightPassword(auth?.password, person)) throw new Error('it was done without the password');
      if (code !== undefined && !(isItsOwn && talk.proven)) this.#spend(person, code);
      if (talk !== undefined && isItsOwn) {
        // Equal requests at the same moment may still hear that a code was accepted in it.
        talk.proven = true;
        talk.over = true;
      }
      this.#follow(asked, person, answer);
      return;
    }
    if (answer.status !== 401 && answer.status !== 429 && talk !== undefined && isItsOwn && mayProve)
      talk.proven = true;
    this.#noteChallenge(asked, person, answer, isItsOwn ? talk : undefined, mayProve ? code : undefined);
  }

  /** A challenge tells what was accepted: it must be what could be. */
  #noteChallenge(
    asked: Asked,
    person: Person,
    { status, json: { session, completed } }: HttpAnswer,
    talk: Talk | undefined,
    code: FreshCode | undefined,
  ): void {
    if (status !== 401 || typeof session !== 'string') return;
    const known = this.#talks.find(({ id }) => id === session);
    if (known !== undefined && (known.person !== person || known.token !== asked.token)) {
      throw new Error("another one's session was shown");
    }
    const body = withoutAuth(asked.json);
    const noted = this.#note(
      {
        id: session,
        isLogin: false,
        person,
        token: asked.token ?? '',
        body: talk?.body ?? (isEmpty(body) ? undefined : body),
      },
      asked,
    );
    const isProven = Array.isArray(completed) && (completed.includes(TOTP) || completed.includes(RECOVERY));
    if (!isProven || noted.proven) return;
    if (code === undefined) throw new Error('a code was accepted that is not fresh');
    this.#spend(person, code);
    noted.proven = true;
  }

  /** What a success changes for everything else. */
  #follow(asked: Asked, person: Person, answer: HttpAnswer): void {
    const { recovery_codes: codes } = answer.json;
    if (Array.isArray(codes)) this.#recovery.set(person, codes.map(String));
    const isOff = asked.method === 'DELETE' && asked.target.endsWith('/totp');
    if (isOff || asked.target.endsWith('/account/password')) this.#endTalks(person);
  }

  #endTalks(person: Person): void {
    for (const talk of this.#talks) if (talk.person === person) talk.over = true;
  }

  #note(seen: Pick<Talk, 'id' | 'isLogin' | 'person' | 'token' | 'body'>, { method, target }: Asked): Talk {
    const known = this.#talks.find(({ id }) => id === seen.id);
    if (known !== undefined) {
      known.body ??= seen.body;
      return known;
    }
    const expiresAt = this.clock.now() + SESSION_MS;
    const talk: Talk = { ...seen, method, target, expiresAt, proven: false, over: false };
    this.#talks.push(talk);
    return talk;
  }

  #named({ json }: Asked): Talk | undefined {
    const session = isJsonObject(json.auth) ? json.auth.session : undefined;
    return this.#talks.find(({ id }) => id === session);
  }

  #personNamed({ identifier }: JsonObject, talk: Talk | undefined): Person | undefined {
    const user = isJsonObject(identifier) ? identifier.user : undefined;
    return this.people.find(({ name }) => name === user) ?? talk?.person;
  }

  #isRightPassword(field: unknown, person: Person): boolean {
    return (
      typeof field === 'string' && (field === person.password || field.startsWith(`${person.password} `))
    );
  }

  /** The code in the request that could be accepted now; it stands in `auth.token` or behind a password. */
  #freshCode({ password, auth }: JsonObject, person: Person): FreshCode | undefined {
    const fields = isJsonObject(auth) ? auth : {};
    const behind = [password, fields.password].flatMap((text) =>
      typeof text === 'string' ? [text.split(' ').at(-1)] : [],
    );
    return [fields.token, ...behind]
      .map((text) => this.#asFresh(text, person))
      .find((code) => code !== undefined);
  }

  #asFresh(text: unknown, person: Person): FreshCode | undefined {
    if (typeof text !== 'string') return undefined;
    if (this.unusedRecoveryCodes(person).includes(text)) return { text, step: undefined };
    const now = this.clock.now();
    const steps = [-1, 0, 1].filter((steps) => codeAt(person.factor.seed, now, steps) === text);
    const step = steps
      .map((each) => Math.floor(now / STEP_MS) + each)
      .find((each) => each > (this.#lastStep.get(person) ?? 0));
    return step === undefined ? undefined : { text, step };
  }

  #spend(person: Person, { text, step }: FreshCode): void {
    this.counts['codes accepted'] = (this.counts['codes accepted'] ?? 0) + 1;
    if (step === undefined) this.#usedRecovery.add(text);
    else this.#lastStep.set(person, step);
    person.lastCode = text;
  }

  /** No answer but a login's own ever holds a live token of a user with 2FA. */
  #requireNoLeak(answer: HttpAnswer, enrolled: ReadonlySet<Person>, live: ReadonlyMap<string, Person>): void {
    for (const [token, person] of live) {
      if (!enrolled.has(person) || !answer.text.includes(token)) continue;
      if (
        answer.status !== 200 ||
        answer.json.access_token !== token ||
        answer.json.user_id !== person.userId
      ) {
        throw new Error('the answer holds a token of somebody with 2FA');
      }
    }
  }
}

function requireSameRequest(asked: Asked, { target, method, headers }: RecordedRequest): void {
  const isSame =
    target === asked.target && method === asked.method && headers.authorization === `Bearer ${asked.token}`;
  if (!isSame) throw new Error(`something else was done: ${method} ${target}`);
}

function withoutAuth({ auth: _auth, ...rest }: JsonObject): JsonObject {
  return rest;
}

function isEmpty(body: JsonObject): boolean {
  return Object.keys(body).length === 0;
}
