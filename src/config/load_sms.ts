import type { Json } from '../matrix/wire.ts';
import { hookUrl, lineIn, type NotifyReader, required } from './channel_values.ts';
import type { SmsConfig } from './config.ts';
import { placeholdersIn, stringsIn } from './placeholders.ts';
import type { Settings } from './settings.ts';
import { BadValue } from './values.ts';

type SmsSettings = Settings['notify']['sms'];

/** What every message must hold: one of each. */
const NEEDED: readonly (readonly string[])[] = [['number', 'digits'], ['text']];
const IN_HEADERS: readonly string[] = ['id', 'secret'];
const KNOWN: readonly string[] = [...NEEDED.flat(), ...IN_HEADERS];

/** RFC 9110, section 5: a token, and what may be sent in a value. */
const HEADER = /^(?<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):(?<value>[ -~]*)$/;
/** These belong to the connection. */
const OURS: readonly string[] = [
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
];
const FIELD = /^[\w.~%[\]-]+=[!-~]*$/;
const SECRET = /^[ -~]+$/;
const PREFIX = /^\+[1-9][0-9]{0,14}$/;

/** The gateway for text messages. @throws ConfigError */
export function smsFrom(settings: SmsSettings, reader: NotifyReader): SmsConfig {
  const { at } = reader;
  const path = (name: string) => ['notify', 'sms', name];
  const { method, format, body } = settings;
  const url = at(path('url'), () => gatewayUrl(settings.url ?? ''));
  const headers = headersIn(settings, reader);
  const inBody = at(path('body'), () => (method === 'GET' ? [] : namesInBody(body, format)));
  const inMessage = [...placeholdersIn(url), ...inBody];
  at(path(method === 'GET' ? 'url' : 'body'), () => {
    const missing = NEEDED.find((names) => !names.some((name) => inMessage.includes(name)));
    if (missing !== undefined) throw new BadValue(`must hold ${inBraces(missing).join(' or ')}`);
  });
  const inHeaders = Object.values(headers).flatMap((value) => placeholdersIn(value));
  const secret = secretFor([...inMessage, ...inHeaders], settings.secret_file, reader);
  settings.prefixes?.forEach((prefix, index) => {
    at([...path('prefixes'), index], () => {
      if (!PREFIX.test(prefix)) throw new BadValue('must be the beginning of numbers, such as +49');
    });
  });
  return { url, method, headers, format, body, secret, prefixes: settings.prefixes };
}

/** As it is written: the braces in it would be escaped. */
function gatewayUrl(written: string): string {
  const { host, hash } = hookUrl(written);
  if (host.includes('{')) throw new BadValue('must not hold a placeholder in its host');
  if (hash !== '') throw new BadValue('must not hold a #: what stands behind it is never sent');
  requireKnown(placeholdersIn(written), KNOWN);
  return written;
}

function headersIn({ headers = [] }: SmsSettings, { at }: NotifyReader): SmsConfig['headers'] {
  const read: Record<string, string> = {};
  headers.forEach((line, index) => {
    at(['notify', 'sms', 'headers', index], () => {
      const { name, value } = HEADER.exec(line)?.groups ?? {};
      if (name === undefined || value === undefined)
        throw new BadValue('must be a header such as "Name: value"');
      const known = name.toLowerCase();
      if (OURS.includes(known)) throw new BadValue(`${name} is set by this program`);
      if (Object.hasOwn(read, known)) throw new BadValue(`${name} is given twice`);
      requireKnown(placeholdersIn(value), IN_HEADERS);
      read[known] = value.trim();
    });
  });
  return read;
}

function namesInBody(body: string, format: SmsConfig['format']): string[] {
  const names = (format === 'json' ? stringsInJson(body) : fieldsIn(body)).flatMap((text) =>
    placeholdersIn(text),
  );
  requireKnown(names, KNOWN);
  return names;
}

function stringsInJson(body: string): string[] {
  try {
    return stringsIn(JSON.parse(body) as Json);
  } catch {
    throw new BadValue('must be JSON');
  }
}

function fieldsIn(body: string): string[] {
  const fields = body.split('&');
  if (fields.every((field) => FIELD.test(field))) return fields;
  throw new BadValue('must be a form such as To={number}&Body={text}');
}

function requireKnown(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new BadValue(`cannot hold {${unknown}}: there are ${inBraces(known).join(', ')}`);
}

function inBraces(names: readonly string[]): string[] {
  return names.map((name) => `{${name}}`);
}

function secretFor(
  names: readonly string[],
  file: string | undefined,
  { at, absolute }: NotifyReader,
): string | undefined {
  const isUsed = names.includes('secret');
  return at(['notify', 'sms', 'secret_file'], () => {
    if (file === undefined && !isUsed) return undefined;
    if (!isUsed) throw new BadValue('is not used: {secret} stands nowhere');
    const secret = lineIn(required(file, absolute));
    if (!SECRET.test(secret)) throw new BadValue('must be a file with one line of plain characters');
    return secret;
  });
}
