import { isAscii } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Refusal } from '../matrix/refusals.ts';
import { type BodyLimits, readBody } from './body.ts';
import { headerValues } from './headers.ts';

export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** The fields of a form: the first value of each. */
export type Form = ReadonlyMap<string, string>;

/**
 * Reads the form that a browser sent.
 * @throws Refusal invalid_param if it is not a form, too_large, slow_body
 */
export async function readForm(request: IncomingMessage, limits: BodyLimits): Promise<Form> {
  if (contentType(request.rawHeaders) !== FORM_TYPE) throw notAForm();
  return readFields(await readBody(request, limits));
}

/**
 * Browsers percent-encode all that is not ASCII (https://url.spec.whatwg.org/#urlencoded-serializing). Other bytes are
 * refused: on Node 24 `URLSearchParams` takes quadratic time for characters beyond U+FFFF, 0.5 s for 64 KiB of them.
 * @throws Refusal invalid_param
 */
export function readFields(bytes: Buffer): Form {
  if (!isAscii(bytes)) throw notAForm();
  return firstOfEach(new URLSearchParams(bytes.toString('latin1')));
}

function firstOfEach(pairs: URLSearchParams): Form {
  const fields = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (!fields.has(name)) fields.set(name, value);
  }
  return fields;
}

/**
 * The fields of a form or a query in which no name comes twice; undefined if one does, or if not all is ASCII.
 */
export function readSingleFields(text: string): Form | undefined {
  if (!isAscii(Buffer.from(text))) return undefined;
  const pairs = new URLSearchParams(text);
  const fields = firstOfEach(pairs);
  return fields.size === pairs.size ? fields : undefined;
}

/** The type of a body, without its parameters and in lower case; empty if none is named. */
export function contentType(rawHeaders: readonly string[]): string {
  const [type = ''] = (headerValues(rawHeaders, 'content-type')[0] ?? '').split(';');
  return type.trim().toLowerCase();
}

function notAForm(): Refusal {
  return new Refusal('invalid_param', { text: 'This is not a form.' });
}
