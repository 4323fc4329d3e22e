import { randomBytes } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../src/matrix/wire.ts';
import { BAD_JSON, type Exchange, refusal, StubRefusal } from './exchange.ts';
import type { Home } from './home.ts';
import { isRightPassword } from './passwords.ts';
import type { GuardedEndpoint, Reaction, Refused, RefusedStage, UiaRules } from './personality.ts';
import type { StubToken, StubUiaSession, StubUser } from './state.ts';
import { resolveName } from './user_names.ts';

/** A guarded request of a signed-in user. */
export interface GuardedRequest {
  readonly endpoint: GuardedEndpoint;
  readonly caller: StubToken;
  /** Undefined: the request had none. */
  readonly body: JsonObject | undefined;
  /** Whether Synapse's `session_timeout` lets this endpoint skip everything. */
  readonly mayBeSkipped: boolean;
}

/** What came of a finished authentication. */
export interface Authenticated {
  /** On whom the endpoint acts; not always the caller. */
  readonly user: StubUser;
  /** The body without `auth`; from an earlier request of the session where this one had none. */
  readonly body: JsonObject;
}

const PASSWORD = 'm.login.password';
const DUMMY = 'm.login.dummy';
const JWT = 'org.matrix.login.jwt';

/**
 * User-interactive authentication for a request with a token, with every oddity of the personality.
 *
 * @throws StubRefusal
 */
export function authenticateByStages(exchange: Exchange, home: Home, guarded: GuardedRequest): Authenticated {
  const caller = home.state.user(guarded.caller.userId);
  const { body, auth } = splitBody(guarded.body);
  if (guarded.mayBeSkipped && isRecentlyValidated(guarded.caller, home)) return { user: caller, body };

  const rules = home.personality.uia[guarded.endpoint];
  if (guarded.body === undefined && rules.missingBody !== 'challenge') throw refusal(rules.missingBody);
  const given = readAuth(auth, rules);
  const flows = flowsFor(caller, home);
  const session = openSession(exchange, home, given, { rules, body, userId: caller.userId, flows });
  const challenge = new Challenge(flows, session, rules);
  if (given === undefined) throw challenge.first();

  if (session.finished) {
    if (given.type === undefined) return finishAgain(rules, session, caller, challenge);
    if (rules.finishedSessionWithPassword !== 'accepted') throw refusal(rules.finishedSessionWithPassword);
  }
  const refused = given.type === undefined ? sessionAloneRefused(rules) : undefined;
  if (refused) throw refused;

  const stage = { home, rules, session, caller, challenge };
  const user = given.type === undefined ? caller : passStage(given, stage);
  if (!flows.some((flow) => flow.every((stage) => session.completed.has(stage)))) throw challenge.state();
  session.finished = true;
  guarded.caller.validatedAt = home.clock.now();
  return { user, body: session.body };
}

/** The stages that a request without a token may pass: registration, and password reset by e-mail. */
export interface OpenStages {
  readonly flows: readonly (readonly string[])[];
  readonly rules: UiaRules;
  /** Judges a stage that is not the password's; false: it failed. Undefined: this homeserver does not know it. */
  readonly judge: (type: string, auth: JsonObject) => boolean | undefined;
  readonly passwordStage: 'judged' | Refused;
  readonly unknownStage: 'challenge' | Refused;
}

/**
 * User-interactive authentication for a request without a token.
 *
 * @returns the finished session; `session.finished` tells whether it had been finished before
 * @throws StubRefusal
 */
export function authenticateOpenly(
  exchange: Exchange,
  home: Home,
  whole: JsonObject,
  stages: OpenStages,
): StubUiaSession {
  const { body, auth } = splitBody(whole);
  const given = readAuth(auth, stages.rules);
  const { rules, flows } = stages;
  const session = openSession(exchange, home, given, { rules, body, userId: undefined, flows });
  const challenge = new Challenge(stages.flows, session, stages.rules);
  if (given === undefined) throw challenge.first();

  if (given.type === PASSWORD) judgeUninvitedPassword(given, home, session, challenge, stages);
  else if (given.type !== undefined) {
    const passed = stages.judge(given.type, given.auth);
    if (passed === undefined && stages.unknownStage !== 'challenge') throw refusal(stages.unknownStage);
    if (passed === undefined) throw challenge.unknown();
    if (!passed) throw challenge.failure('M_UNAUTHORIZED', 'This stage was not passed');
    session.completed.set(given.type, '');
  }
  if (!stages.flows.some((flow) => flow.every((stage) => session.completed.has(stage))))
    throw challenge.state();
  return session;
}

/** Servers judge a password here that they never asked for: an oracle without any limit. */
function judgeUninvitedPassword(
  given: GivenAuth,
  home: Home,
  session: StubUiaSession,
  challenge: Challenge,
  stages: OpenStages,
): void {
  if (stages.passwordStage !== 'judged') throw refusal(stages.passwordStage);
  const named = namedUser(given.auth, stages.rules, home, challenge);
  const password = passwordIn(given.auth, stages.rules, challenge);
  if (!named || !isRightPassword(named.password, password, home.personality.passwords)) {
    throw challenge.failure('M_FORBIDDEN', 'Invalid username or password');
  }
  session.completed.set(PASSWORD, named.userId);
}

interface GivenAuth {
  readonly auth: JsonObject;
  readonly type: string | undefined;
  readonly session: string | undefined;
}

function splitBody(whole: JsonObject | undefined): { body: JsonObject; auth: JsonObject[string] } {
  const { auth, ...body } = whole ?? {};
  return { body, auth };
}

function readAuth(auth: JsonObject[string], rules: UiaRules): GivenAuth | undefined {
  if (auth === undefined) return undefined;
  if (auth === null) return challengeOrRefusal(rules.nullAuth);
  if (!isJsonObject(auth)) throw refusal(rules.textAuth);
  if (Object.keys(auth).length === 0) return challengeOrRefusal(rules.emptyAuth);
  const { type, session } = auth;
  if (!isTextOrAbsent(type) || !isTextOrAbsent(session)) throw refusal(rules.textAuth);
  return { auth, type: type ?? undefined, session: session || undefined };
}

function isTextOrAbsent(value: JsonObject[string]): value is string | null | undefined {
  return value === undefined || value === null || typeof value === 'string';
}

function challengeOrRefusal(rule: 'challenge' | Refused): undefined {
  if (rule !== 'challenge') throw refusal(rule);
  return undefined;
}

function isRecentlyValidated(token: StubToken, home: Home): boolean {
  return home.clock.now() - token.validatedAt < home.switches.uiaSessionTimeout;
}

function openSession(
  exchange: Exchange,
  home: Home,
  given: GivenAuth | undefined,
  opened: {
    rules: UiaRules;
    body: JsonObject;
    userId: string | undefined;
    flows: readonly (readonly string[])[];
  },
): StubUiaSession {
  const { rules, body, userId, flows } = opened;
  const operation = `${exchange.method} ${exchange.path}`;
  const known = given?.session === undefined ? undefined : home.state.uiaSessions.get(given.session);
  if (given?.session !== undefined && known === undefined) insist(rules.inventedSession);
  const begin = (): StubUiaSession => {
    const session: StubUiaSession = {
      id: randomBytes(12).toString('hex'),
      operation,
      userId,
      completed: new Map(),
      body,
      finished: false,
      registered: undefined,
    };
    home.state.uiaSessions.set(session.id, session);
    return session;
  };
  if (known === undefined) return begin();
  if (known.operation !== operation) insist(rules.sessionOfOtherOperation);
  if (known.userId !== userId && rules.sessionOfOtherUser !== 'accepted') {
    throw refusedStage(rules.sessionOfOtherUser, 'Invalid session', new Challenge(flows, begin(), rules));
  }
  if (Object.keys(body).length > 0) known.body = body;
  return known;
}

function insist(reaction: Reaction): void {
  if (reaction !== 'accepted') throw refusal(reaction);
}

function flowsFor(user: StubUser, home: Home): readonly (readonly string[])[] {
  const flows: (readonly string[])[] = [];
  if (home.switches.passwords !== 'off' && user.password !== null) flows.push(...home.personality.uiaFlows);
  if (home.switches.sso !== undefined) flows.push(['m.login.sso']);
  return flows;
}

function finishAgain(
  rules: UiaRules,
  session: StubUiaSession,
  user: StubUser,
  challenge: Challenge,
): Authenticated {
  if (rules.finishedSessionAlone === 'challenge') throw challenge.state();
  if (rules.finishedSessionAlone !== 'accepted') throw refusal(rules.finishedSessionAlone);
  return { user, body: session.body };
}

/** Dendrite's engine takes no `auth` without a type. */
function sessionAloneRefused(rules: UiaRules): StubRefusal | undefined {
  const rule = rules.finishedSessionAlone;
  return typeof rule === 'object' && rule.status === 400 ? refusal(rule) : undefined;
}

interface Stage {
  readonly home: Home;
  readonly rules: UiaRules;
  readonly session: StubUiaSession;
  readonly caller: StubUser;
  readonly challenge: Challenge;
}

function passStage(given: GivenAuth, stage: Stage): StubUser {
  const { rules, session, challenge, caller, home } = stage;
  if (given.type === 'm.login.sso' && session.completed.has('m.login.sso')) return caller;
  if (given.type === DUMMY && rules.dummyCompletes) {
    session.completed.set(DUMMY, '');
    throw challenge.state();
  }
  if (given.type === JWT && rules.jwt !== undefined) return passJwt(given.auth, rules.jwt, stage);
  if (given.type !== PASSWORD) {
    if (rules.unknownStage !== 'challenge') throw refusal(rules.unknownStage);
    throw challenge.unknown();
  }
  if (home.switches.passwords === 'off') {
    throw refusal({ status: 400, errcode: 'M_UNKNOWN' }, 'Password login has been disabled.');
  }
  return passPassword(given.auth, stage);
}

/** The token alone says who is meant, a client that asks. */
function passJwt(auth: JsonObject, rule: 'acts_on_named' | Refused, stage: Stage): StubUser {
  const named = typeof auth.token === 'string' ? stage.home.state.jwts.get(auth.token) : undefined;
  if (named === undefined) throw stage.challenge.failure('M_FORBIDDEN', 'Invalid token');
  if (rule !== 'acts_on_named') throw refusal(rule);
  stage.session.completed.set(JWT, named);
  return stage.home.state.user(named);
}

function passPassword(auth: JsonObject, { home, rules, session, caller, challenge }: Stage): StubUser {
  const password = passwordIn(auth, rules, challenge);
  const named = namedUser(auth, rules, home, challenge);
  if (!named || named.deactivated || !isRightPassword(named.password, password, home.personality.passwords)) {
    if (rules.wrongPassword !== 'challenge') throw refusal(rules.wrongPassword, 'Invalid password');
    throw challenge.failure('M_FORBIDDEN', 'Invalid username or password');
  }
  session.completed.set(PASSWORD, named.userId);
  if (named === caller || rules.otherUser === 'acts_on_caller') return caller;
  if (rules.otherUser === 'acts_on_named') return named;
  throw refusedStage(rules.otherUser, 'Invalid auth', challenge);
}

function refusedStage(rule: RefusedStage, text: string, challenge: Challenge): StubRefusal {
  return rule.inChallenge ? challenge.failure(rule.errcode, text) : refusal(rule, text);
}

function passwordIn(auth: JsonObject, rules: UiaRules, challenge: Challenge): string {
  const { password } = auth;
  const { emptyPassword } = rules;
  if (typeof password === 'string' && (password !== '' || emptyPassword === 'judged')) return password;
  throw refusedStage(
    emptyPassword === 'judged' ? BAD_JSON : emptyPassword,
    'Bad parameter: password',
    challenge,
  );
}

function namedUser(
  auth: JsonObject,
  rules: UiaRules,
  home: Home,
  challenge: Challenge,
): StubUser | undefined {
  const identifier = isJsonObject(auth.identifier) ? auth.identifier : undefined;
  const topLevel = typeof auth.user === 'string' ? auth.user : undefined;
  const inside = typeof identifier?.user === 'string' ? identifier.user : undefined;
  const noIdentifier = () => refusedStage(rules.noIdentifier, 'Missing identifier', challenge);
  if (identifier === undefined && topLevel === undefined) throw noIdentifier();
  if (identifier === undefined && rules.topLevelUser !== 'accepted') throw refusal(rules.topLevelUser);

  const preferTopLevel = rules.identifierAndUser === 'user' || inside === undefined;
  const name = preferTopLevel ? (topLevel ?? inside) : inside;
  if (name === undefined) throw noIdentifier();
  const named = resolveName(name, home.state, home.personality);
  return 'user' in named ? named.user : undefined;
}

/** The 401 of user-interactive authentication, in the shapes that the personality has for it. */
class Challenge {
  constructor(
    private readonly flows: readonly (readonly string[])[],
    private readonly session: StubUiaSession,
    private readonly rules: UiaRules,
  ) {}

  /** Before any stage was tried. */
  first(): StubRefusal {
    return this.#challenge(this.rules.completedAtFirst === 'empty' ? { completed: [] } : {});
  }

  /** After a stage that was passed and did not finish a flow. */
  state(): StubRefusal {
    return this.#challenge(this.#completed('list'));
  }

  /** After a stage that is not known here. */
  unknown(): StubRefusal {
    return this.#challenge(this.#completed(this.rules.completedAfterUnknown));
  }

  /** After a stage that was tried and failed. */
  failure(errcode: string, text: string): StubRefusal {
    return this.#challenge({ ...this.#completed(this.rules.completedAfterFailure), errcode, error: text });
  }

  #completed(form: 'list' | 'missing' | 'null'): JsonObject {
    if (form === 'missing') return {};
    if (form === 'null') return { completed: null };
    return { completed: [...this.session.completed.keys()] };
  }

  #challenge(more: JsonObject): StubRefusal {
    const params = { object: { params: {} }, null: { params: null }, missing: {} }[this.rules.params];
    const flows = this.flows.map((stages) => ({ stages: [...stages] }));
    return new StubRefusal({ status: 401, body: { session: this.session.id, flows, ...params, ...more } });
  }
}
