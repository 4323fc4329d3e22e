import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  ANSWERED_BY_HAND,
  type Exchange,
  NOT_FOUND,
  ok,
  refusal,
  type StubAnswer,
  UNRECOGNIZED,
} from '../exchange.ts';
import type { Home } from '../home.ts';
import { authenticated } from '../tokens.ts';

const CHUNK_BYTES = 64 * 1024;

/** `GET /_matrix/client/versions`. */
export function versions(): StubAnswer {
  return ok({ versions: ['r0.6.1', 'v1.1', 'v1.11'], unstable_features: { 'org.example.stub': true } });
}

/** `GET /capabilities`. */
export function capabilities(exchange: Exchange, home: Home): StubAnswer {
  authenticated(exchange, home);
  const offersToken = home.personality.routing.prefixes.get_token.length > 0;
  return ok({
    capabilities: { 'm.change_password': { enabled: true }, 'm.get_login_token': { enabled: offersToken } },
  });
}

const NAMES = {
  synapse: 'Synapse',
  dendrite: 'Dendrite',
  conduit: 'Conduit',
  tuwunel: 'Tuwunel',
  continuwuity: 'continuwuity',
} as const;

/** `GET /_matrix/federation/v1/version`: what it is. */
export function serverVersion(_exchange: Exchange, home: Home): StubAnswer {
  return ok({ server: { name: NAMES[home.personality.name], version: '1' } });
}

/** `GET /.well-known/matrix/client`. */
export function wellKnown(_exchange: Exchange, home: Home): StubAnswer {
  if (home.switches.wellKnown) return ok(home.switches.wellKnown);
  const rule = home.personality.wellKnown;
  if (rule !== 'served') throw refusal(rule);
  return ok({ 'm.homeserver': { base_url: home.url() } });
}

/** `GET /auth_metadata`: native OAuth, where the operator has it. */
export function authMetadata(_exchange: Exchange, home: Home): StubAnswer {
  if (!home.switches.oauth) throw refusal(UNRECOGNIZED);
  return ok({ issuer: `${home.url()}/`, token_endpoint: `${home.url()}/oauth2/token` });
}

/** An administration interface: it is there for a client that gets through. */
export function administration(exchange: Exchange): StubAnswer {
  return ok({ administration: exchange.target });
}

/** Rooms: says what arrived, so that a test sees whether the target came through byte for byte. */
export function echo(exchange: Exchange, home: Home): StubAnswer {
  authenticated(exchange, home);
  return ok({
    method: exchange.method,
    target: exchange.target,
    body: exchange.bytes.toString('base64'),
  });
}

/** Media kept in memory, by id. */
export class StubMedia {
  readonly #files = new Map<string, { readonly bytes: Buffer; readonly type: string }>();

  /** `POST /media/v3/upload`. */
  upload = (exchange: Exchange, home: Home): StubAnswer => {
    authenticated(exchange, home);
    const id = randomBytes(8).toString('hex');
    const type = exchange.headers['content-type'] ?? 'application/octet-stream';
    this.#files.set(id, { bytes: exchange.bytes, type });
    return ok({
      content_uri: `mxc://${home.state.serverName}/${id}`,
      size: exchange.bodyLength,
      sha256: exchange.bodyHash,
    });
  };

  /** `GET …/download/{server}/{id}`; the id `zeros-<n>` is a file of n bytes that are made while they are read. */
  download = (exchange: Exchange): StubAnswer | typeof ANSWERED_BY_HAND => {
    const id = exchange.params.media ?? '';
    const size = /^zeros-(\d+)$/.exec(id)?.[1];
    if (size !== undefined) return streamZeros(exchange, Number(size));
    const file = this.#files.get(id);
    if (file === undefined) throw refusal(NOT_FOUND);
    return { status: 200, body: file.bytes, headers: { 'content-type': file.type } };
  };
}

function streamZeros(exchange: Exchange, size: number): typeof ANSWERED_BY_HAND {
  exchange.response.writeHead(200, { 'content-length': size, 'content-type': 'application/octet-stream' });
  const chunk = Buffer.alloc(CHUNK_BYTES);
  function* zeros() {
    for (let left = size; left > 0; left -= CHUNK_BYTES) yield chunk.subarray(0, Math.min(left, CHUNK_BYTES));
  }
  pipeline(Readable.from(zeros()), exchange.response).catch(() => exchange.response.destroy());
  return ANSWERED_BY_HAND;
}

/** `/sync` requests that are held open until the test lets them go. */
export class HeldSyncs {
  readonly #held = new Set<Exchange>();

  get count(): number {
    return this.#held.size;
  }

  /** `GET /sync`: with a `timeout` above zero it waits for `release`. */
  sync = (exchange: Exchange, home: Home): StubAnswer | typeof ANSWERED_BY_HAND => {
    authenticated(exchange, home);
    if (Number(exchange.query.get('timeout') ?? 0) <= 0) return ok({ next_batch: 's1' });
    this.#held.add(exchange);
    exchange.response.once('close', () => this.#held.delete(exchange));
    return ANSWERED_BY_HAND;
  };

  release(): void {
    for (const { response } of this.#held) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ next_batch: 's2' }));
    }
    this.#held.clear();
  }
}
