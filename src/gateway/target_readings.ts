/** Deeper encodings than this are no client's. */
const MAX_DECODINGS = 4;

/** Longer paths that need this look are no client's either: bounds the work below. */
const MAX_LENGTH = 4096;

type Rewrite = (text: string) => string;

const asIs: Rewrite = (text) => text;

/** What servers are known to do to a path before they route it; each of them or not, in this order. */
const REWRITES: readonly (readonly Rewrite[])[] = [
  [asIs, (text) => cutAt(text, isControlOrBlank), (text) => keep(text, (char) => !isControlOrBlank(char))],
  [asIs, (text) => cutAt(text, (char) => char === '#' || char === '?')],
  [asIs, (text) => cutAt(text, (char) => char === ';'), withoutParameters],
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
  }
  return texts;
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
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

function isControlOrBlank(char: string): boolean {
  return char <= ' ' || (char >= '\x7f' && char <= '\xa0');
}

function cutAt(text: string, ends: (char: string) => boolean): string {
  for (let at = 0; at < text.length; at++) {
    if (ends(text[at] as string)) return text.slice(0, at);
  }
  return text;
}

function keep(text: string, wanted: (char: string) => boolean): string {
  return Array.from(text).filter(wanted).join('');
}

/** `/a;x=1/b;y` is `/a/b` to some servers. */
function withoutParameters(text: string): string {
  return text
    .split('/')
    .map((segment) => cutAt(segment, (char) => char === ';'))
    .join('/');
}

function collapseSlashes(text: string): string {
  return text
    .split('/')
    .filter((segment, at) => segment !== '' || at === 0)
    .join('/')
    .concat(text.length > 1 && text.endsWith('/') ? '/' : '');
}

function resolveDots(text: string): string {
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
  while (end > 1 && (text[end - 1] === '/' || isControlOrBlank(text[end - 1] as string))) end--;
  return text.slice(0, end);
}

/** Compatibility forms, then upper case (U+017F), then lower case (U+212A). */
function fold(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase();
}
