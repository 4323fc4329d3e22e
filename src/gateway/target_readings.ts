/** No client encodes deeper than this. */
const MAX_DECODINGS = 4;

/** No client sends longer paths that need this look: bounds the work below. */
const MAX_LENGTH = 4096;

/** Characters of all readings together: only a path crafted to have many readings exceeds it (attack 120). */
const MAX_READ = 24 * 1024;

type Rewrite = (text: string) => string;

/** Blanks and control bytes, those of Latin-1 too. */
const CONTROL_OR_BLANK = /[\p{Cc} \xa0]/u;
const CONTROLS_AND_BLANKS = /[\p{Cc} \xa0]+/gu;
const ASCII = /^\p{ASCII}*$/u;

const asIs: Rewrite = (text) => text;

/** What servers are known to do to a path before they route it; each of them or not, in this order. */
const REWRITES: readonly (readonly Rewrite[])[] = [
  [asIs, (text) => cutAt(text, CONTROL_OR_BLANK), (text) => text.replace(CONTROLS_AND_BLANKS, '')],
  [asIs, (text) => cutAt(text, /[#?]/)],
  [asIs, (text) => cutAt(text, /;/), withoutParameters],
  [asIs, (text) => text.replaceAll('\\', '/')],
  [asIs, collapseSlashes],
  [asIs, resolveDots],
  [asIs, collapseSlashes],
  [asIs, cutTail],
  [fold],
];

/**
 * Every way in which some server may read `path` (rule R3): decoded or not, once or more; cut at `#`, `?`, `;`,
 * blanks and control bytes; slashes collapsed; dots resolved; case folded. Undefined if there would be too many.
 *
 * @param path a raw path without its query
 */
export function readings(path: string): ReadonlySet<string> | undefined {
  const decoded = decodings(path);
  if (decoded === undefined) return undefined;
  let texts: ReadonlySet<string> = decoded;
  for (const choices of REWRITES) {
    texts = new Set([...texts].flatMap((text) => choices.map((rewrite) => rewrite(text))));
    if (lengthOf(texts) > MAX_READ) return undefined;
  }
  return texts;
}

function lengthOf(texts: Iterable<string>): number {
  let length = 0;
  for (const text of texts) length += text.length;
  return length;
}

/** The path as it is, decoded once, twice … until nothing changes; undefined if that takes too long. */
function decodings(path: string): Set<string> | undefined {
  if (path.length > MAX_LENGTH) return undefined;
  const texts = new Set<string>();
  // Servlet containers cut parameters off before they decode: an escaped slash is part of a parameter then.
  for (const raw of new Set([path, withoutParameters(path)])) {
    if (!addDecodings(raw, texts)) return undefined;
  }
  return texts;
}

/** False if it would take too long. */
function addDecodings(raw: string, texts: Set<string>): boolean {
  let last = raw;
  texts.add(last);
  for (let round = 0; round < MAX_DECODINGS; round++) {
    const next = decode(last);
    if (next === last) return true;
    texts.add(next);
    last = next;
  }
  return false;
}

/** Decodes the escapes that are sound and leaves the others, as lenient servers do. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) => {
    const bytes = escapes.replaceAll('%', '');
    // A single byte, the most frequent case in paths crafted to take long.
    if (bytes.length === 2 && bytes < '80') return String.fromCharCode(Number.parseInt(bytes, 16));
    return Buffer.from(bytes, 'hex').toString('utf8');
  });
}

function cutAt(text: string, ends: RegExp): string {
  const at = text.search(ends);
  return at === -1 ? text : text.slice(0, at);
}

/** `/a;x=1/b;y` is `/a/b` to some servers. */
function withoutParameters(text: string): string {
  return text.replace(/;[^/]*/g, '');
}

function collapseSlashes(text: string): string {
  return text.replace(/\/{2,}/g, '/');
}

function resolveDots(text: string): string {
  if (text.startsWith('/') && !text.includes('/.')) return text;
  const resolved: string[] = [];
  for (const segment of text.split('/')) {
    if (segment === '..') resolved.pop();
    else if (segment !== '.') resolved.push(segment);
  }
  const path = resolved.join('/');
  return path.startsWith('/') ? path : `/${path}`;
}

/** Without slashes, blanks and control bytes at the end. */
function cutTail(text: string): string {
  let end = text.length;
  while (end > 1 && (text[end - 1] === '/' || CONTROL_OR_BLANK.test(text.charAt(end - 1)))) end--;
  return text.slice(0, end);
}

/** Compatibility forms, then upper case (U+017F), then lower case (U+212A). */
function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize('NFKC').toUpperCase().toLowerCase();
}
