import { readdirSync, readFileSync } from 'node:fs';

/** A JSON block of a page of `spec/`. */
export interface SpecExample {
  /** Page and line, for the name of a test. */
  readonly place: string;
  /** The schema that it names; undefined if it names none. */
  readonly schema: string | undefined;
  readonly text: string;
}

const FOLDER = new URL('../../spec/', import.meta.url);
const BLOCK = /^```json(?: schema=(\S+))?\n([\s\S]*?)^```$/gm;

/** The names of the pages of `spec/`. */
export function specPages(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith('.md'));
}

/** The text of a page of `spec/`. */
export function specPage(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

/** Every JSON block of every page. */
export function specExamples(): SpecExample[] {
  return specPages().flatMap((page) => {
    const text = specPage(page);
    return [...text.matchAll(BLOCK)].map((match) => ({
      place: `${page}:${text.slice(0, match.index).split('\n').length}`,
      schema: match[1],
      text: match[2] ?? '',
    }));
  });
}
