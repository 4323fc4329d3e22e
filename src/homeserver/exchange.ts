import { isUtf8 } from 'node:buffer';
import { isIP } from 'node:net';
import type { Dispatcher } from 'undici';
import { readDevicePassword } from '../matrix/device_password.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isJsonObject, type Json, type JsonObject } from '../matrix/wire.ts';
import type { HomeserverAnswer, HomeserverCall } from './homeserver.ts';

/** Where bodies have passwords (client-server API): a login, a registration, a change of the password. */
const PASSWORD_FIELDS = ['password', 'new_password'] as const;
const WRONG: JsonObject = { errcode: 'M_FORBIDDEN', error: 'Invalid username or password' };

/** A call as it is sent. @param tlsName of `tlsNameOf` */
export function sentRequest(call: HomeserverCall, tlsName: string | undefined): Dispatcher.DispatchOptions {
  const request: Dispatcher.DispatchOptions & { servername?: string } = {
    method: call.method,
    path: call.path,
    headers: headersOf(call),
    body: call.body === undefined ? null : JSON.stringify(call.body),
  };
  // Without this, undici would take the client's Host for the name in the homeserver's certificate.
  if (tlsName !== undefined) request.servername = tlsName;
  return request;
}

/** The name in the homeserver's certificate; undefined without TLS, or where it is an address. */
export function tlsNameOf(url: string): string | undefined {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' && isDnsName(hostname) ? hostname : undefined;
}

/** All headers of a request: nothing that the client sent goes upstream but its Host (R2, attack 51). */
function headersOf(call: HomeserverCall): Record<string, string> {
  const headers: Record<string, string> = {
    'x-forwarded-for': call.client.ip,
    'x-forwarded-proto': call.client.proto,
  };
  if (call.client.host !== undefined) headers.host = call.client.host;
  if (call.client.record !== undefined) headers['x-request-id'] = call.client.record.id;
  if (call.token !== undefined) headers.authorization = `Bearer ${call.token}`;
  if (call.body !== undefined) headers['content-type'] = 'application/json';
  return headers;
}

function isDnsName(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
}

/**
 * The last line before the homeserver: a device password is a secret of this program, and where it stands in place of the
 * account's password it is a wrong password that the homeserver never sees (spec/device_passwords.md).
 * @returns what the homeserver would answer to a wrong password; undefined where there is no device password
 */
export function refusedHere(body: JsonObject | undefined): HomeserverAnswer | undefined {
  if (body === undefined || ![body, body.auth].some(hasDevicePassword)) return undefined;
  return { status: 403, headers: {}, bytes: Buffer.from(JSON.stringify(WRONG)), json: WRONG };
}

function hasDevicePassword(object: Json | undefined): boolean {
  if (!isJsonObject(object)) return false;
  return PASSWORD_FIELDS.some((field) => readDevicePassword(object[field]) !== undefined);
}

/** In the clear, or with an escape in it. */
const MAY_NAME_PROTOTYPE = /__proto__|\\/;
const JSON_TYPE = /^application\/json[ \t]*(;|$)/i;

/**
 * Takes the parts of an answer together and parses its body, if it is a JSON object under a JSON content type.
 *
 * @throws Refusal homeserver_unclear if the body is compressed: we never ask for that, and a token could hide
 *   in what we do not read (attack 33).
 */
export function readAnswer(
  status: number,
  headers: HomeserverAnswer['headers'],
  bytes: Buffer,
): HomeserverAnswer {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && String(encoding).toLowerCase() !== 'identity') {
    throw new Refusal('homeserver_unclear');
  }
  const contentType = headers['content-type'];
  const isJson = typeof contentType === 'string' && JSON_TYPE.test(contentType);
  return { status, headers, bytes, json: isJson ? parseObject(bytes) : undefined };
}

/**
 * A homeserver may use all of JSON, fractions and repeated keys too: only the bodies of clients are read strictly.
 * A byte order mark stays in the text, where JSON has no place for it.
 */
function parseObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  try {
    // A reviver makes reading slow, and few answers need it.
    const value: unknown = MAY_NAME_PROTOTYPE.test(text)
      ? JSON.parse(text, dropPrototypeKey)
      : JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A reviver: a key without a value is removed, so that no later copy can set a prototype (attack 14). */
function dropPrototypeKey(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

/** What is below 200 announces a later answer; what is below 100 is not an answer, nor waited for (attack 118). */
const LOWEST_STATUS = 100;
const LOWEST_FINAL_STATUS = 200;

/** Takes one answer as it comes, until it is whole; `request` of undici would make a stream of it first. */
export class WholeAnswer implements Dispatcher.DispatchHandler {
  /** Rejects with what broke the exchange off. */
  readonly whole: Promise<HomeserverAnswer>;
  private resolve: (answer: HomeserverAnswer) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private controller: Dispatcher.DispatchController | undefined;
  private stopped: { readonly reason: Error } | undefined;
  private status = 0;
  private headers: HomeserverAnswer['headers'] = {};
  private readonly chunks: Buffer[] = [];

  constructor() {
    this.whole = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Breaks the exchange off with `reason`, now or as soon as it has a connection. */
  stop(reason: Error): void {
    this.stopped ??= { reason };
    this.controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.stopped !== undefined) controller.abort(this.stopped.reason);
  }

  /** What is thrown here ends the request in `onResponseError`. */
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: HomeserverAnswer['headers'],
  ): void {
    if (status < LOWEST_STATUS) throw new Refusal('homeserver_unclear');
    if (status < LOWEST_FINAL_STATUS) return;
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [only, ...more] = this.chunks;
    const bytes = only !== undefined && more.length === 0 ? only : Buffer.concat(this.chunks);
    try {
      this.resolve(readAnswer(this.status, this.headers, bytes));
    } catch (error) {
      this.reject(error);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.reject(error);
  }
}
