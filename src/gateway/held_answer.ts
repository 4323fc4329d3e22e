import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** No login is longer than this. */
const LARGEST = 64 * 1024;

/** An event stream comes in parts, and the client waits for each of them. */
const STREAMED_TYPE = /^(text\/event-stream|multipart\/)/i;

const DECODERS: ReadonlyMap<string, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer> =
  new Map([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
  ]);

/** The lengths of the header names that tell whether an answer can be a login: most others need no closer look. */
const LENGTHS_OF_NAMES: ReadonlySet<number> = new Set(
  ['content-length', 'content-type', 'content-encoding'].map((name) => name.length),
);

/** What may stand in front of JSON: white space, and the bytes of a byte order mark. */
const LEADING: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/** What a held answer turned out to be. */
export type Content = Buffer | 'large' | 'unreadable';

/** Whether a request's answer may be a login: that of a GET is not one, and what is watched must not wait. */
export function mayGrant(method: string | undefined): boolean {
  return method === 'POST' || method === 'PUT';
}

/**
 * Makes a request one whose answer we can read: it may come compressed only in ways that we know.
 *
 * @param headers names and values in turn
 */
export function acceptOnlyReadable(headers: string[]): void {
  for (let at = 0; at < headers.length; at += 2) {
    if (isAcceptEncoding(headers[at])) headers[at + 1] = readable(headers[at + 1] as string);
  }
}

function isAcceptEncoding(name: string | undefined): boolean {
  return name?.length === 'accept-encoding'.length && name.toLowerCase() === 'accept-encoding';
}

function readable(acceptEncoding: string): string {
  const codings = acceptEncoding.split(',');
  const known = codings.filter((coding) => isReadable(coding.split(';')[0]?.trim().toLowerCase()));
  if (known.length === codings.length) return acceptEncoding;
  return known.length === 0 ? 'identity' : known.map((coding) => coding.trim()).join(', ');
}

function isReadable(coding: string | undefined): boolean {
  return coding !== undefined && (coding === 'identity' || DECODERS.has(coding));
}

/**
 * A small answer that is kept back until it is known not to be a login: as long as it looks like JSON, however it is
 * labelled.
 */
export class HeldAnswer {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private begun: boolean;

  private constructor(private readonly encoding: string) {
    this.begun = encoding !== '';
  }

  /**
   * Undefined if an answer with these headers cannot be a login.
   * @param headers names and values in turn
   */
  static of(headers: readonly string[]): HeldAnswer | undefined {
    let encoding = '';
    for (let at = 0; at < headers.length; at += 2) {
      const rawName = headers[at] as string;
      if (!LENGTHS_OF_NAMES.has(rawName.length)) continue;
      const name = rawName.toLowerCase();
      const value = headers[at + 1] as string;
      if (name === 'content-length' && Number(value) > LARGEST) return undefined;
      if (name === 'content-type' && STREAMED_TYPE.test(value)) return undefined;
      if (name === 'content-encoding') encoding = encodingIn(value, encoding);
    }
    return new HeldAnswer(encoding);
  }

  /** Takes a part; false if it shows that this cannot be a login: what was held goes on, and the rest with it. */
  take(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size > LARGEST) return false;
    if (this.begun) return true;
    const first = firstByte(chunk);
    this.begun = first !== undefined;
    return first === undefined || first === 0x7b || first === 0x5b;
  }

  /** All that was held, as it came. */
  bytes(): Buffer {
    const [only, ...more] = this.chunks;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.chunks);
  }

  /** What it says, without its compression. */
  content(): Content {
    if (this.encoding === '' || this.size === 0) return this.bytes();
    const decode = DECODERS.get(this.encoding);
    if (decode === undefined) return 'unreadable';
    try {
      return decode(this.bytes(), { maxOutputLength: LARGEST });
    } catch (error) {
      const isLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      return isLarge ? 'large' : 'unreadable';
    }
  }
}

/** Several encodings one upon the other are not read. */
function encodingIn(value: string, before: string): string {
  const coding = value.trim().toLowerCase();
  if (coding === 'identity' || coding === '') return before;
  return before === '' ? coding : `${before}, ${coding}`;
}

/** The first byte that is neither white space of JSON's (RFC 8259) nor of a byte order mark. */
function firstByte(bytes: Buffer): number | undefined {
  return bytes.find((byte) => !LEADING.has(byte));
}
