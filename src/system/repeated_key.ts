import { type Document, isScalar, visit } from 'yaml';

/**
 * Options for the parser of YAML: it would compare each key of a map with all before it, which takes hours for a file of a
 * few megabytes.
 */
export const KEYS_ARE_LOOKED_AT_LATER = { uniqueKeys: false } as const;

/** Where in the text a key stands that stood in the same map before; undefined if each stands once. */
export function offsetOfRepeatedKey(document: Document.Parsed): number | undefined {
  let found: number | undefined;
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          found = key.range?.[0] ?? 0;
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}
