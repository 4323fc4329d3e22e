import { distance } from 'fastest-levenshtein';

/** What may have been meant by a name that is not known, as the end of a sentence. */
export function nearest(unknown: string, known: readonly string[]): string {
  const [best] = known.toSorted((left, right) => distance(unknown, left) - distance(unknown, right));
  return best === undefined ? '' : `; did you mean "${best}"?`;
}
