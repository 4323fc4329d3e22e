/**
 * What a name must not hold and a line of output does not show: control characters (C0, DEL, C1), which command a
 * terminal; line and paragraph separators; invisible format characters, of which those for text direction (Unicode
 * Standard Annex 9) make a line read like another; halves of surrogate pairs. The joiners U+200C and U+200D stay:
 * scripts and emoji need them.
 */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** `text` on one line, harmless for a terminal: what cannot be shown is escaped as in JSON. */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === '\n'
      ? '\\n'
      : Array.from({ length: character.length }, (_, at) => escaped(character, at)).join(''),
  );
}

/** `text` line by line, each as `oneLine` has it. */
export function printable(text: string): string {
  return text.split('\n').map(oneLine).join('\n');
}

function escaped(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
