/**
 * Media may be uploaded by anyone, and is served on the same origin as our pages. As a page it could read what is typed
 * into ours, so it gets a sandbox where the homeserver gives it no policy of its own (attack 155).
 */
const ADDED: readonly string[] = [
  ...['Content-Security-Policy', 'sandbox'],
  ...['X-Content-Type-Options', 'nosniff'],
];

/** What no browser runs, whatever is in it; all else may be a page, a missing type included. */
const INERT_TYPES: ReadonlySet<string> = new Set([
  ...['application/json', 'application/octet-stream', 'application/pdf', 'text/plain'],
]);
const INERT_KINDS = ['image/', 'audio/', 'video/', 'font/'];

/**
 * The headers of an answer that is passed on, with a sandbox where it is media that a browser could run.
 * @param target of the request, as it came
 * @param headers names and values in turn, as they go to the client
 */
export function sandboxedMedia(target: string, headers: string[]): string[] {
  if (!mayBeMedia(target)) return headers;
  const types: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase();
    if (name === 'content-security-policy') return headers;
    if (name === 'content-type') types.push(headers[at + 1] as string);
  }
  const [type] = types;
  if (types.length === 1 && type !== undefined && isInert(type)) return headers;
  return [...headers, ...ADDED];
}

/** Only such a target can have `media` in its path: this one look is all that other requests pay for. */
const HINT_OF_MEDIA = /media|%/i;

/** Whether the path has `media` in it, in any spelling that a homeserver may decode; a sandbox too many does no harm. */
function mayBeMedia(target: string): boolean {
  if (!HINT_OF_MEDIA.test(target)) return false;
  const end = target.indexOf('?');
  const path = (end === -1 ? target : target.slice(0, end)).toLowerCase();
  return path.includes('media') || (path.includes('%') && unescaped(path).includes('media'));
}

function unescaped(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function isInert(type: string): boolean {
  if (type.includes(',')) return false;
  const [essence = ''] = type.toLowerCase().split(';');
  const name = essence.trim();
  if (name.endsWith('+xml')) return false;
  return INERT_TYPES.has(name) || INERT_KINDS.some((kind) => name.startsWith(kind));
}
