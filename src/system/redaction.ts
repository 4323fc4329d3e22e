import { oneLine, printable } from './one_line.ts';

/** What stands in a log line where a secret stood. */
const HIDDEN = '[hidden]';

/** Names of fields that hold a secret, without `_`, `-` and case; longer names that end like this count too. */
const SECRET_ENDINGS = [
  'token',
  'password',
  'secret',
  'seed',
  'session',
  'sessionid',
  'authorization',
  'cookie',
];
const SECRET_NAMES = ['auth', 'body', 'code', 'codes', 'recoverycodes', 'pepper', 'otpauth', 'uri', 'idhash'];

/** Deeper fields are not logged, which also ends circles. */
const DEEPEST = 6;

/** A copy of `fields` that can be logged: no secret by name, none in a text. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactMembers(fields, 0);
}

function redactMembers(object: object, depth: number): Record<string, unknown> {
  const members = Object.entries(object).map(([name, value]) => {
    const { shown, isSecret } = judgedName(name);
    const hides = isSecret && value !== undefined && value !== null;
    return [shown, hides ? HIDDEN : redactValue(value, depth + 1)];
  });
  return Object.fromEntries(members);
}

interface JudgedName {
  readonly shown: string;
  readonly isSecret: boolean;
}

/** Names are remembered as they are written: nearly all lines have the same few. No long ones. */
const REMEMBERED_NAMES = 512;
const LONGEST_REMEMBERED = 64;
const judgedNames = new Map<string, JudgedName>();

function judgedName(name: string): JudgedName {
  const known = judgedNames.get(name);
  if (known !== undefined) return known;
  const judged = { shown: oneLine(name), isSecret: isSecretName(name) };
  if (name.length <= LONGEST_REMEMBERED) {
    if (judgedNames.size >= REMEMBERED_NAMES) judgedNames.clear();
    judgedNames.set(name, judged);
  }
  return judged;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) return '[deep]';
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactMembers(value, depth);
}

/** An error's `code` names the fault (`ECONNREFUSED`), it is not a one-time code. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: oneLine(error.code) } : {};
  return {
    type: oneLine(name),
    message: redactText(message),
    ...code,
    ...(stack === undefined ? {} : { stack: printable(withoutSecrets(stack)) }),
    ...(cause === undefined ? {} : { cause: redactValue(cause, depth + 1) }),
  };
}

function isSecretName(name: string): boolean {
  const plain = name.replaceAll(/[_-]/g, '').toLowerCase();
  return SECRET_NAMES.includes(plain) || SECRET_ENDINGS.some((ending) => plain.endsWith(ending));
}

/** Forms in which secrets stand in texts: error messages, request targets, quoted JSON. */
const SECRET_FORMS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[^\s"']+/gi, `$1 ${HIDDEN}`],
  [/\b([\w-]{0,32}(?:token|password|secret|session|code)=)[^&\s"'#]+/gi, `$1${HIDDEN}`],
  [/("[\w-]{0,32}(?:token|password|secret|seed|session|code)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi, `$1"${HIDDEN}"`],
  [/\botpauth:\/\/\S+/gi, HIDDEN],
  // Our session ids; Synapse's access, refresh and login tokens.
  [/\b(?:m2fa|syt|syr|syl)_[\w-]+/g, HIDDEN],
  // Recovery codes as they are shown.
  [/\b[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}\b/gi, HIDDEN],
];

/** More of a text than this is not logged: it would not be read, and the search below stays cheap. */
const LONGEST = 4096;

/**
 * `text` with everything replaced that has the form of a secret, cut where it is very long, and on one line:
 * what others wrote can neither look like one of our lines nor command a terminal.
 */
export function redactText(text: string): string {
  if (isPlain(text)) return text;
  return oneLine(withoutSecrets(text));
}

/** Letters, digits and marks without which no form below is complete, but for those in `SECRET_BEGINS`. */
const PLAIN = /^[\w.:@ ,;()']{0,256}$/;
const SECRET_BEGINS = /(?:m2fa|sy[trl])_|bearer|basic/i;

/** Whether no form of a secret can be in it, and nothing has to be escaped: so for most values of a log line. */
function isPlain(text: string): boolean {
  return PLAIN.test(text) && !SECRET_BEGINS.test(text);
}

function withoutSecrets(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return SECRET_FORMS.reduce((clean, [form, instead]) => clean.replace(form, instead), cut);
}
