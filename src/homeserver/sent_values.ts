import type { Json, JsonObject } from '../matrix/wire.ts';

/** Shorter values would be found in any text by chance. */
const SHORTEST_VALUE = 4;
/** No homeserver's message is longer; comparing a longer text with a large body would take long (attack 121). */
const LONGEST_TEXT = 512;
/** How much a value may shrink when its escapes are undone (`\u{000041}` is one letter) and only letters are kept. */
const SHRINKS_TO = 1 / 16;
/** If this much of a value is not in a text, the value is not in it. */
const PROBE_LENGTH = 64;
const PROBED_LETTERS = 12;
/** Letters and digits that `bare` leaves as they are; what follows them does not change the last one. */
const PLAIN_BEGINNING = /^[A-Za-z0-9]{12}\p{ASCII}/u;
const ESCAPE = /\\u\{([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})/gi;
const PLAIN = /^[A-Za-z0-9]*$/;
const ASCII = /^\p{ASCII}*$/u;
const ESCAPED_IN_JSON = /["\\\p{Cc}]/u;
const LARGEST_CODE_POINT = 0x10ffff;

/**
 * Whether a text repeats any string or number in a request body, as it is or in some escaped form. A text that is
 * longer than any message counts as one that does.
 */
export function repeatsSent(text: string, sent: JsonObject | undefined): boolean {
  if (text.length > LONGEST_TEXT) return true;
  const bareText = bare(text);
  return valuesIn(sent).some((value) => {
    if (value.length < SHORTEST_VALUE || value.length * SHRINKS_TO > text.length) return false;
    if (!mayHold(bareText, value)) return false;
    if (text.includes(value) || holdsEscaped(text, value)) return true;
    const bareValue = bare(value);
    return bareValue.length >= SHORTEST_VALUE && bareText.includes(bareValue);
  });
}

function holdsEscaped(text: string, value: string): boolean {
  return ESCAPED_IN_JSON.test(value) && text.includes(JSON.stringify(value).slice(1, -1));
}

/** False if the beginning of a long value is not in the text. What the cut may have changed is left out. */
function mayHold(bareText: string, value: string): boolean {
  if (value.length <= PROBE_LENGTH) return true;
  if (PLAIN_BEGINNING.test(value)) return bareText.includes(value.slice(0, PROBED_LETTERS).toLowerCase());
  const beginning = bare(value.slice(0, PROBE_LENGTH));
  return beginning.length < 2 * PROBED_LETTERS || bareText.includes(beginning.slice(0, PROBED_LETTERS));
}

/** All strings and numbers at any depth, without recursion: the body came from a stranger. */
function valuesIn(sent: JsonObject | undefined): string[] {
  const values: string[] = [];
  const open: (Json | undefined)[] = [sent];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') values.push(value);
    if (typeof value === 'number') values.push(String(value));
    if (typeof value !== 'object' || value === null) continue;
    for (const inner of Object.values(value)) open.push(inner);
  }
  return values;
}

/**
 * What is left of a text however it was quoted: escapes of JSON and of debug output undone, then letters and
 * digits only, in one case and one Unicode form.
 */
function bare(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  const plain = text.includes('\\') ? text.replace(ESCAPE, characterOf) : text;
  // Most is ASCII, where it is quicker.
  if (ASCII.test(plain)) return plain.toLowerCase().replace(/[^a-z0-9]+/g, '');
  return plain
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

function characterOf(written: string, braced: string | undefined, plain: string | undefined): string {
  const codePoint = Number.parseInt(braced ?? plain ?? '', 16);
  return codePoint <= LARGEST_CODE_POINT ? String.fromCodePoint(codePoint) : written;
}
