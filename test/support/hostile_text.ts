import * as fc from 'fast-check';

/** What commands a terminal, ends a line or turns text round; and what looks as if a line of ours began. */
const HOSTILE = [
  ...[
    '\u0000',
    '\u0007',
    '\b',
    '\t',
    '\n',
    '\r',
    '\u000b',
    '\u000c',
    '\u001b',
    '\u007f',
    '\u0085',
    '\u009b',
    '\u009d',
  ],
  ...['\u2028', '\u2029', '\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069', '\ufeff'],
  ...['\ud800', '\udfff', '\u{e0041}'],
  ...[
    '\u001b[2J',
    '\u001b]0;title\u0007',
    '\r\n{"level":"info"}',
    '\u009b31m',
    'a',
    ' ',
    '"',
    '\\',
    'ж',
    '👩‍💻',
  ],
];

/** Texts that someone may have typed or sent to harm the one who reads them. */
export const hostileText = fc
  .array(fc.constantFrom(...HOSTILE), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(''));

/** What no output may hold besides its own line ends; written apart from the code under test. */
export const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Cs}\u{e0041}]/u;
