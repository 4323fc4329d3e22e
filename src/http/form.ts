import type { IncomingMessage } from 'node:http';
import { Refusal } from '../matrix/refusals.ts';
import { type BodyLimits, readBody } from './body.ts';
import { headerValues } from './raw_headers.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** The fields of a form: the first value of each. */
export type Form = ReadonlyMap<string, string>;

/**
 * Reads the form that a browser sent.
 * @throws Refusal invalid_param if it is no form, too_large, slow_body
 */
export async function readForm(request: IncomingMessage, limits: BodyLimits): Promise<Form> {
  const [type = ''] = (headerValues(request.rawHeaders, 'content-type')[0] ?? '').split(';');
  if (type.trim().toLowerCase() !== FORM_TYPE) throw notAForm();
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(decode(await readBody(request, limits)))) {
    if (!fields.has(name)) fields.set(name, value);
  }
  return fields;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notAForm();
  }
}

function notAForm(): Refusal {
  return new Refusal('invalid_param', { text: 'This is not a form.' });
}
