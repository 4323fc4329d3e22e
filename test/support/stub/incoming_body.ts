import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isJsonObject, type JsonObject } from '../../../src/matrix/wire.ts';

/** How much of a body is kept for looking at. */
const KEPT_BYTES = 64 * 1024 * 1024;

export interface IncomingBody {
  /** The first 64 MiB. */
  readonly bytes: Buffer;
  readonly length: number;
  /** SHA-256 of all of it, in hex. */
  readonly hash: string;
}

/** Reads a body to its end; undefined as soon as it is longer than `limit` bytes. Rejects if it is cut. */
export async function readIncoming(
  request: IncomingMessage,
  limit: number,
): Promise<IncomingBody | undefined> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (length < KEPT_BYTES) kept.push(chunk);
    length += chunk.length;
    if (length > limit) return undefined;
  }
  return { bytes: Buffer.concat(kept), length, hash: hash.digest('hex') };
}

/** The object in a body of JSON. */
export function objectIn(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
