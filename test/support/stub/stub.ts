/**
 * A homeserver for tests: in this process, on loopback, with real state and with the oddities of one of
 * five homeservers (personality.ts holds their shape, personalities/ the measured data).
 *
 *     const stub = await startStub({ personality: 'synapse', users: [{ name: 'bob', password: 'pw' }] });
 *     … requests to stub.url …
 *     stub.requests                    everything that arrived, in order: method, raw target, raw headers, body
 *     stub.requestsTo('login')         those that its router took to one endpoint
 *     stub.devicesOf('bob'), stub.liveTokens('bob'), stub.passwordOf('bob'), stub.keysOf('bob') …
 *     stub.signIn('bob')               a token without a request
 *     stub.failNext('/login', { status: 500, body: {} })
 *     stub.override(/account\/whoami/, (exchange, next) => …)
 *     await stub.setDown('hang')       'refuse', 'reset', 'hang', 'error', 'garbage'; undefined: up again
 *     stub.heldSyncs, stub.releaseSyncs(), stub.holdUploads(), stub.releaseUploads()
 *     stub.switches.…                  what its operator could have configured; may be changed while it runs
 *     await stub.stop()
 *
 * `expectNoUpstream` of a test is `expect(stub.requests).toEqual([])`; for requests with a valid token the
 * proxy may ask whoami, keys/query, the name of a device and the probe, which `stub.requestsBesideLookups()` leaves out.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { JsonObject } from '../../../src/matrix/wire.ts';
import { type Clock, systemClock } from '../../../src/system/clock.ts';
import { type TakenPort, takePort } from '../../../tools/free_port.ts';
import { clientAddress } from './client_address.ts';
import { HeldSyncs, StubMedia } from './endpoints/general.ts';
import {
  ANSWERED_BY_HAND,
  type Exchange,
  METHOD_NOT_ALLOWED,
  refusal,
  type StubAnswer,
  StubRefusal,
  UNRECOGNIZED,
  write,
} from './exchange.ts';
import type { Home, StubSwitches } from './home.ts';
import { objectIn, readIncoming } from './incoming_body.ts';
import { LoginLimits, type LoginRates } from './limits.ts';
import { conduit } from './personalities/conduit.ts';
import { continuwuity } from './personalities/continuwuity.ts';
import { dendrite } from './personalities/dendrite.ts';
import { synapse } from './personalities/synapse.ts';
import { tuwunel } from './personalities/tuwunel.ts';
import type { EndpointName, Personality, PersonalityName } from './personality.ts';
import { type Route, routesOf, takes } from './routes.ts';
import { isOutsideApi, matchPath, routedTarget } from './routing.ts';
import { type CrossSigningKeys, type StubDevice, StubState, type StubToken, type StubUser } from './state.ts';

export const PERSONALITIES: Readonly<Record<PersonalityName, Personality>> = {
  synapse,
  dendrite,
  conduit,
  tuwunel,
  continuwuity,
};

export interface StubUserGiven {
  /** Local part. */
  readonly name: string;
  /** Null: an account from single sign-on. */
  readonly password: string | null;
  readonly emails?: readonly string[];
  readonly phones?: readonly string[];
}

export interface StubOptions extends Partial<StubSwitches> {
  /** Default `synapse`. */
  readonly personality?: PersonalityName;
  readonly users?: readonly StubUserGiven[];
  /** Default `localhost`. */
  readonly serverName?: string;
  /** Default: no limits. See SYNAPSE_DEFAULT_RATES. */
  readonly loginRates?: LoginRates;
  readonly clock?: Clock;
}

/** A request that reached the stub. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target exactly as it came. */
  readonly target: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly bodyLength: number;
  /** The JSON object in the body; undefined if it is anything else. */
  readonly json: JsonObject | undefined;
  /** The endpoint that the router of this personality took it to. */
  readonly endpoint: EndpointName | undefined;
  /** Set once it was answered. */
  status: number | undefined;
}

/** How a stub that is down behaves. */
export type DownMode = 'refuse' | 'reset' | 'hang' | 'error' | 'garbage';

/** A string matches targets that contain it; an expression is tried on `METHOD target`. */
export type TargetPattern = string | RegExp;

export type Override = (
  exchange: Exchange,
  /** What would have been answered otherwise. */
  next: () => StubAnswer | typeof ANSWERED_BY_HAND,
) => StubAnswer | typeof ANSWERED_BY_HAND | Promise<StubAnswer | typeof ANSWERED_BY_HAND>;

/** Starts a stub homeserver on a free loopback port. */
export async function startStub(options: StubOptions = {}): Promise<StubHomeserver> {
  const stub = new StubHomeserver(options);
  await stub.listen();
  return stub;
}

const KEEP_ALIVE_MS = 130_000;

export class StubHomeserver {
  readonly requests: RecordedRequest[] = [];
  /** Targets of requests whose body never came to its end. */
  readonly cutRequests: string[] = [];
  readonly state: StubState;
  /** What the operator configured; a test may change it at any time. */
  readonly switches: { -readonly [Name in keyof StubSwitches]: StubSwitches[Name] };
  readonly personality: Personality;
  readonly #home: Home;
  readonly #routes: readonly Route[];
  readonly #syncs = new HeldSyncs();
  readonly #overrides: { readonly pattern: TargetPattern; readonly answer: Override }[] = [];
  readonly #failures: { readonly pattern: TargetPattern; readonly answer: StubAnswer }[] = [];
  readonly #waitingUploads = new Set<() => void>();
  #uploadsAreHeld = false;
  #down: DownMode | undefined;
  #server: Server;
  #port: TakenPort | undefined;

  constructor(options: StubOptions) {
    const {
      personality,
      users = [],
      serverName = 'localhost',
      loginRates = {},
      clock = systemClock,
    } = options;
    this.personality = PERSONALITIES[personality ?? 'synapse'];
    this.state = new StubState(serverName);
    this.switches = {
      uiaSessionTimeout: options.uiaSessionTimeout ?? 0,
      passwords: options.passwords ?? 'on',
      registration: options.registration ?? 'open',
      registrationFlows: options.registrationFlows ?? [['m.login.dummy']],
      publicBaseUrl: options.publicBaseUrl,
      wellKnown: options.wellKnown,
      refreshableLifetime: options.refreshableLifetime,
      oauth: options.oauth ?? this.personality.nativeOauth,
      openEndedDeleteDevices: options.openEndedDeleteDevices ?? false,
      sso: options.sso,
      applicationServices: [...(options.applicationServices ?? [])],
    };
    for (const user of users) this.addUser(user);
    this.#home = {
      personality: this.personality,
      switches: this.switches,
      state: this.state,
      limits: new LoginLimits(loginRates, clock),
      clock,
      url: () => this.url,
    };
    this.#routes = routesOf(this.personality.routing, new StubMedia(), this.#syncs);
    this.#server = this.#makeServer();
  }

  /** Base URL without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.#port?.port}`;
  }

  get serverName(): string {
    return this.state.serverName;
  }

  /** How many `/sync` requests wait. */
  get heldSyncs(): number {
    return this.#syncs.count;
  }

  /** On a port that stays its own while it is down: nobody else may answer there, and it comes back on it. */
  async listen(): Promise<void> {
    this.#port ??= await takePort();
    this.#server.listen(this.#port.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Ends the stub and cuts every connection. */
  async stop(): Promise<void> {
    await this.#close();
    this.#port?.release();
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close().closeAllConnections();
    await once(this.#server, 'close');
  }

  /** Forgets what was recorded; the state stays. */
  clear(): void {
    this.requests.length = 0;
    this.cutRequests.length = 0;
  }

  /** Recorded requests that the router took to an endpoint. */
  requestsTo(endpoint: EndpointName): RecordedRequest[] {
    return this.requests.filter((request) => request.endpoint === endpoint);
  }

  /**
   * Recorded requests without those that the proxy may make for a caller with a valid token before the second
   * factor: whoami, keys/query, and the probe (`delete_devices` for one device that does not exist).
   */
  requestsBesideLookups(): RecordedRequest[] {
    return this.requests.filter((request) => !this.#isLookup(request));
  }

  addUser(given: StubUserGiven): StubUser {
    const user = this.state.addUser(given.name, given.password);
    for (const email of given.emails ?? []) user.emails.add(email.toLowerCase());
    for (const phone of given.phones ?? []) user.phones.add(phone);
    return user;
  }

  user(name: string): StubUser {
    return this.state.user(`@${name}:${this.serverName}`);
  }

  devicesOf(name: string): StubDevice[] {
    return [...this.user(name).devices.values()];
  }

  /** Access tokens of a user that work now. */
  liveTokens(name: string): string[] {
    const now = this.#home.clock.now();
    return this.state
      .tokensOf(this.user(name).userId)
      .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
      .map(({ token }) => token);
  }

  isLive(token: string): boolean {
    const found = this.state.tokens.get(token);
    return found !== undefined && this.liveTokens(found.userId.slice(1).split(':')[0] ?? '').includes(token);
  }

  passwordOf(name: string): string | null {
    return this.user(name).password;
  }

  keysOf(name: string): CrossSigningKeys {
    return this.user(name).crossSigning;
  }

  isDeactivated(name: string): boolean {
    return this.user(name).deactivated;
  }

  /** A token on a device, without a request. */
  signIn(name: string, deviceId = this.state.freshDeviceId()): StubToken {
    return this.state.openDevice(this.user(name), deviceId, null, this.#home.clock.now());
  }

  /** Lets an access token expire, as a token that came with a refresh token does. */
  expire(token: string): void {
    const found = this.state.tokens.get(token);
    if (found) found.expiresAt = 0;
  }

  /** A login token, as from a single sign-on of the homeserver. */
  mintLoginToken(name: string, lifetimeMs = 120_000): string {
    return this.state.addLoginToken(this.user(name).userId, this.#home.clock.now() + lifetimeMs);
  }

  /** A JSON Web Token from the operator's own issuer, as tuwunel's `[global.jwt]` takes them. */
  mintJwt(name: string): string {
    const token = `eyJ.${name}.${this.state.jwts.size}`;
    this.state.jwts.set(token, this.user(name).userId);
    return token;
  }

  /** The session id (`sid`) of an address whose owner clicked the link. */
  validateEmail(address: string): string {
    const sid = `sid${this.state.validatedEmails.size + 1}`;
    this.state.validatedEmails.set(sid, address.toLowerCase());
    return sid;
  }

  /** The next request that matches gets this answer; several calls queue up. */
  failNext(pattern: TargetPattern, answer: Partial<StubAnswer>): void {
    this.#failures.push({ pattern, answer: { status: 500, body: {}, ...answer } });
  }

  /** Every matching request is answered by `answer` from now on; undo with the function returned. */
  override(pattern: TargetPattern, answer: Override): () => void {
    const override = { pattern, answer };
    this.#overrides.unshift(override);
    return () => this.#overrides.splice(this.#overrides.indexOf(override), 1);
  }

  /** Takes the stub down in one of several ways, or up again on the same port. */
  async setDown(mode: DownMode | undefined): Promise<void> {
    if (mode === 'refuse') await this.#close();
    if (mode !== 'refuse' && !this.#server.listening) {
      this.#server = this.#makeServer();
      await this.listen();
    }
    this.#down = mode;
  }

  releaseSyncs(): void {
    this.#syncs.release();
  }

  /** From now on media uploads are not read, so that back-pressure can be seen. */
  holdUploads(): void {
    this.#uploadsAreHeld = true;
  }

  releaseUploads(): void {
    this.#uploadsAreHeld = false;
    for (const goOn of this.#waitingUploads) goOn();
    this.#waitingUploads.clear();
  }

  #makeServer(): Server {
    const { transport } = this.personality;
    const server = createServer({
      maxHeaderSize: transport.maxHeaderBytes,
      requestTimeout: 0,
      insecureHTTPParser: transport.readsLengthWithChunks,
    });
    server.maxHeadersCount = 0;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.headersTimeout = KEEP_ALIVE_MS + 1000;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch(() => {
        if (!request.complete) this.cutRequests.push(request.url ?? '');
        response.destroy();
      });
    });
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      if (transport.unknownExpectation === 200) server.emit('request', request, response);
      else response.writeHead(transport.unknownExpectation).end();
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const isTooLong = error.code === 'HPE_HEADER_OVERFLOW' && this.personality.name !== 'synapse';
      if (socket.writable)
        socket.end(`HTTP/1.1 ${isTooLong ? 431 : 400} Refused\r\nConnection: close\r\n\r\n`);
    });
    return server;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    const isUpload = target.includes('/media/v3/upload');
    if (isUpload && this.#uploadsAreHeld) await new Promise<void>((goOn) => this.#waitingUploads.add(goOn));
    const { transport } = this.personality;
    const limit = isUpload ? Number.POSITIVE_INFINITY : transport.maxBody;
    const body = await readIncoming(request, limit);
    if (body === undefined) return this.#refuseTooLarge(request, response);

    const routed = routedTarget(target, this.personality.routing);
    const path = routed?.path ?? '';
    const found = routed === undefined ? [] : this.#routesAt(path);
    const method = this.#methodFor(request.method ?? '');
    const route = found.find((one) => takes(one.route, method));
    const recorded: RecordedRequest = {
      method: request.method ?? '',
      target,
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      bytes: body.bytes,
      bodyLength: body.length,
      json: objectIn(body.bytes),
      endpoint: route?.route.name,
      status: undefined,
    };
    this.requests.push(recorded);
    response.once('finish', () => {
      recorded.status = response.statusCode;
    });
    if (this.#down !== undefined) return this.#behaveDown(this.#down, response);

    const exchange: Exchange = {
      method: request.method ?? '',
      target,
      path,
      query: this.#query(request, routed?.query ?? '', body.bytes),
      params: route?.params ?? {},
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      bytes: body.bytes,
      bodyLength: body.length,
      bodyHash: body.hash,
      clientAddress: clientAddress(request, transport.clientAddressHeaders),
      request,
      response,
    };
    const answer = await this.#answer(exchange, () => this.#dispatch(exchange, found, route?.route));
    if (answer !== ANSWERED_BY_HAND) write(response, answer);
  }

  async #answer(
    exchange: Exchange,
    dispatch: () => StubAnswer | typeof ANSWERED_BY_HAND,
  ): Promise<StubAnswer | typeof ANSWERED_BY_HAND> {
    const isMeant = ({ pattern }: { pattern: TargetPattern }) => matches(pattern, exchange);
    const failing = this.#failures.findIndex(isMeant);
    const [failure] = failing === -1 ? [] : this.#failures.splice(failing, 1);
    if (failure) return failure.answer;
    const override = this.#overrides.find(isMeant);
    return override ? override.answer(exchange, dispatch) : dispatch();
  }

  #dispatch(
    exchange: Exchange,
    found: readonly { readonly route: Route }[],
    route: Route | undefined,
  ): StubAnswer | typeof ANSWERED_BY_HAND {
    try {
      const headers = exchange.rawHeaders.length / 2;
      if (headers > this.personality.transport.maxHeaderCount) return { status: 431, body: '' };
      if (this.personality.routing.refusedCharacters?.test(exchange.target)) return { status: 400, body: '' };
      if (exchange.method === 'OPTIONS') return { status: 204, body: '' };
      if (route) return route.endpoint(exchange, this.#home);
      if (found.length > 0) throw refusal(METHOD_NOT_ALLOWED, 'Unrecognized request');
      const isBare = this.personality.routing.bareOutsideApi && isOutsideApi(exchange.path);
      throw isBare
        ? new StubRefusal({ status: 404, body: '' })
        : refusal(UNRECOGNIZED, 'Unrecognized request');
    } catch (error) {
      if (error instanceof StubRefusal) return error.answer;
      throw error;
    }
  }

  #routesAt(path: string): { readonly route: Route; readonly params: Record<string, string> }[] {
    const seen = this.switches.openEndedDeleteDevices ? path.replace(/(\/delete_devices).*$/, '$1') : path;
    return this.#routes.flatMap((route) => {
      const params = matchPath(seen, route.template);
      return params === undefined ? [] : [{ route, params }];
    });
  }

  #methodFor(method: string): string {
    return method === 'HEAD' && this.personality.routing.headAsGet ? 'GET' : method;
  }

  #query(request: IncomingMessage, query: string, bytes: Buffer): URLSearchParams {
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const adds = isForm && this.personality.json.formAddsToQuery;
    return new URLSearchParams(adds ? `${query}&${bytes.toString('latin1')}` : query);
  }

  #refuseTooLarge(request: IncomingMessage, response: ServerResponse): void {
    if (this.personality.transport.tooLarge === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(413, { connection: 'close' }).end();
  }

  #behaveDown(mode: DownMode, response: ServerResponse): void {
    if (mode === 'reset') response.destroy();
    if (mode === 'error') write(response, { status: 503, body: { errcode: 'M_UNKNOWN', error: 'down' } });
    if (mode === 'garbage') {
      write(response, {
        status: 200,
        body: '<html>{"access_token":',
        headers: { 'content-type': 'text/html' },
      });
    }
  }

  #isLookup(request: RecordedRequest): boolean {
    if (request.endpoint === 'whoami') return true;
    if (request.endpoint === 'devices')
      return /^GET .*\/devices\/[^/]+$/.test(`${request.method} ${request.target}`);
    if (request.endpoint === 'keys') return request.target.includes('/keys/query');
    if (request.endpoint !== 'delete_devices') return false;
    const devices = request.json?.devices;
    const [first] = Array.isArray(devices) ? devices : [];
    const isAlone = Array.isArray(devices) && devices.length === 1;
    return isAlone && typeof first === 'string' && /^[0-9A-F]{24}$/.test(first);
  }
}

function matches(pattern: TargetPattern, exchange: Exchange): boolean {
  if (typeof pattern === 'string') return exchange.target.includes(pattern);
  return pattern.test(`${exchange.method} ${exchange.target}`);
}
