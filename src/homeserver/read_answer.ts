import { Refusal } from '../matrix/refusals.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import type { HomeserverAnswer } from './homeserver.ts';

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
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text, dropPrototypeKey);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A reviver: a key without a value is removed, so that no later copy can set a prototype (attack 14). */
function dropPrototypeKey(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}
