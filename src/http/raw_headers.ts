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
