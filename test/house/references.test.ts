import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findIn, headingsOf, type WrittenFile, writtenFiles } from './written_files.ts';

/** What a reader cannot open: notes of the authors, numbers of lists that are not here. */
const OUTSIDE =
  /\b(?:DESIGN|HOMESERVERS|HOUSE|THROTTLE|WANTS)\b|\b[A-Z]{4,}(?:\.md)? §|\bS\d-\d+\b|\bissue \d+\b/g;

const PATH =
  /(?<![\w/.-])(?:docs|spec|test|src|schemas|tools|bench|demo)\/[\w/.-]*\w|(?<=`)[a-z_]+\/[a-z_/]+\.ts(?=`)/g;
const PAGE = /(?<![\w/.-])[\w/.-]*\w\.md(?:#[\w-]+|, "[^"]+"| § ?"?[^")]+)?/g;

const files = writtenFiles().filter(({ file }) => !file.endsWith('references.test.ts'));
const attacks = numbersIn('test/attacks.md', /^(\d+)\. /gm);
const rules = numbersIn('docs/architecture.md', /^\| R(\d+) \|/gm);
const promises = numbersIn('docs/security_model.md', /^(\d+)\. \*\*/gm);

function numbersIn(file: string, pattern: RegExp): Set<number> {
  return new Set([...readFileSync(file, 'utf8').matchAll(pattern)].map(([, number]) => Number(number)));
}

/** Where paths begin: the root, the folder of the file or of what it tests, `src/`, or `docs/` (texts of settings). */
function opened(from: string, path: string): string | undefined {
  const folder = dirname(from);
  const places = ['.', folder, folder.replace(/^test\//, ''), 'src', 'docs'];
  return places.map((place) => join(place, path)).find((each) => existsSync(each));
}

function deadPaths({ file, text }: WrittenFile): string[] {
  return [...text.matchAll(PATH)]
    .map(([path]) => path)
    .filter((path) => /\.(?:md|[jt]s|json|ya?ml|py|mjs)$/.test(path) && opened(file, path) === undefined)
    .map((path) => `${file}: ${path}`);
}

function deadPages({ file, text }: WrittenFile): string[] {
  return [...text.matchAll(PAGE)].flatMap(([named]) => {
    const [, path = '', heading] = /^(.*?\.md)(?:#|, "| § ?"?)?(.*?)"?$/s.exec(named) ?? [];
    const page = opened(file, path);
    if (page === undefined) return [`${file}: ${named}`];
    return heading === '' || heading === undefined || headingsOf(page).has(heading)
      ? []
      : [`${file}: ${named}`];
  });
}

/** `attack 3`, `attacks 126 to 137`, `R5`, `promise 2`. */
function deadNumbers({ file, text }: WrittenFile, pattern: RegExp, listed: ReadonlySet<number>): string[] {
  return [...text.matchAll(pattern)]
    .filter(([match]) => [...match.matchAll(/\d+/g)].some(([number]) => !listed.has(Number(number))))
    .map(([match]) => `${file}: ${match}`);
}

describe('every reference can be followed', () => {
  test('none leads to a page that is not in this repository', () => {
    expect(files.flatMap((each) => findIn(each, OUTSIDE))).toEqual([]);
  });

  test('paths', () => {
    expect(files.flatMap(deadPaths)).toEqual([]);
  });

  test('pages, and the headings in them', () => {
    expect(files.flatMap(deadPages)).toEqual([]);
  });

  test('attacks, rules and promises', () => {
    const dead = files.flatMap((each) => [
      ...deadNumbers(each, /\battacks? \d+(?:(?:, | and | to )\d+)*/gi, attacks),
      ...deadNumbers(each, /\bR\d{1,2}\b(?!["'])/g, rules),
      ...deadNumbers(each, /\bpromises? \d+/gi, promises),
    ]);
    expect(dead).toEqual([]);
  });
});
