/**
 * Every value of a header in Node's raw list (names and values in turn).
 *
 * @param name in lower case
 */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] as string;
    if (raw.length === name.length && raw.toLowerCase() === name) values.push(rawHeaders[at + 1] as string);
  }
  return values;
}

/** The value of the first cookie of this name in a `Cookie` header; undefined if there is none. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const start = `${name}=`;
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(start))?.slice(start.length);
}
