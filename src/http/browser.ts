import type { IncomingMessage } from 'node:http';
import { Refusal } from '../matrix/refusals.ts';
import { type BodyLimits, readBody } from './body.ts';
import type { Browser } from './client_request.ts';
import { headerValues } from './raw_headers.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Reads what a browser sends with a request for a page. The form is read only when it is asked for. */
export function readBrowser(request: IncomingMessage, limits: BodyLimits): Browser {
  const only = (name: string) => headerValues(request.rawHeaders, name).join(', ') || undefined;
  return {
    acceptLanguage: only('accept-language'),
    origin: only('origin'),
    fetchSite: only('sec-fetch-site'),
    cookies: readCookies(headerValues(request.rawHeaders, 'cookie')),
    form: () => readForm(request, limits),
  };
}

/** RFC 6265, 4.2. The first of two cookies of one name is the one with the longer path: the more special one. */
function readCookies(headers: readonly string[]): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of headers.join(';').split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim());
  }
  return cookies;
}

async function readForm(request: IncomingMessage, limits: BodyLimits): Promise<ReadonlyMap<string, string>> {
  const [type = ''] = (headerValues(request.rawHeaders, 'content-type')[0] ?? '').split(';');
  if (type.trim().toLowerCase() !== FORM_TYPE) throw notAForm();
  const bytes = await readBody(request, limits);
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(decode(bytes))) {
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
