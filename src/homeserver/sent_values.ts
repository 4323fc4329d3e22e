import type { Json, JsonObject } from '../matrix/wire.ts';

/** Shorter values would be found in any text by chance. */
const SHORTEST_VALUE = 4;
const ESCAPE = /\\u\{([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})/gi;
const LARGEST_CODE_POINT = 0x10ffff;

/** Whether a text repeats any string or number in a request body, as it is or in some escaped form. */
export function repeatsSent(text: string, sent: JsonObject | undefined): boolean {
  const bareText = bare(text);
  return valuesIn(sent).some((value) => {
    if (value.length < SHORTEST_VALUE) return false;
    if (text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1))) return true;
    const bareValue = bare(value);
    return bareValue.length >= SHORTEST_VALUE && bareText.includes(bareValue);
  });
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
  return text
    .replace(ESCAPE, characterOf)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

function characterOf(written: string, braced: string | undefined, plain: string | undefined): string {
  const codePoint = Number.parseInt(braced ?? plain ?? '', 16);
  return codePoint <= LARGEST_CODE_POINT ? String.fromCodePoint(codePoint) : written;
}
