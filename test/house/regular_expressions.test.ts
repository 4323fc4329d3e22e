import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { type Node, visit } from './imports.ts';

/** What stands of `scslre` here: it finds what makes a regular expression take more than linear time. */
interface Scslre {
  analyse(
    literal: { readonly source: string; readonly flags: string },
    options: { readonly reportTypes: { readonly Move: boolean } },
  ): { readonly reports: readonly { readonly type: string; readonly exponential: boolean }[] };
}

interface Written {
  readonly where: string;
  readonly source: string;
  readonly flags: string;
}

function loadScslre(): Scslre | undefined {
  try {
    return createRequire(import.meta.url)('scslre') as Scslre;
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    return undefined;
  }
}

function filesUnder(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file) && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));
}

/** Every regular expression of the program, and everything else that makes one. */
function writtenInSource(): { readonly literals: Written[]; readonly made: string[] } {
  const literals: Written[] = [];
  const made: string[] = [];
  for (const file of filesUnder('src', /\.[tj]s$/)) {
    const parsed = parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript', target: 'es2024' });
    visit(parsed.body, (node) => {
      if (node.type === 'RegExpLiteral') {
        literals.push({ where: file, source: String(node.pattern), flags: String(node.flags) });
      }
      const isMade = node.type === 'NewExpression' || node.type === 'CallExpression';
      if (isMade && (node.callee as Node).value === 'RegExp') made.push(file);
    });
  }
  return { literals, made };
}

/** The patterns that bodies are checked against. */
function writtenInSchemas(): Written[] {
  const patterns: Written[] = [];
  for (const file of filesUnder('schemas', /\.json$/)) {
    visit(JSON.parse(readFileSync(file, 'utf8')), (node) => {
      if (typeof node.pattern === 'string') patterns.push({ where: file, source: node.pattern, flags: 'u' });
    });
  }
  return patterns;
}

const scslre = loadScslre();
if (scslre === undefined) {
  console.warn('scslre is not installed (npm ci): regular expressions are not judged');
}

/** Why this one may take more than linear time; empty if it never does, wherever it is searched for. */
function faultsOf({ source, flags }: Omit<Written, 'where'>): string[] {
  const found = scslre?.analyse({ source, flags }, { reportTypes: { Move: true } }).reports ?? [];
  return found.map(({ type, exponential }) => `${type}${exponential ? ', exponential' : ''}`);
}

(scslre === undefined ? describe.skip : describe)('regular expressions', () => {
  const { literals, made } = writtenInSource();

  test('attack 119: none in the program takes more than linear time', () => {
    expect(literals.length).toBeGreaterThan(30);
    const slow = literals
      .map((each) => ({ ...each, faults: faultsOf(each) }))
      .filter(({ faults }) => faults.length > 0);
    expect(slow).toEqual([]);
  });

  test('attack 119: none that bodies are checked against takes more than linear time', () => {
    const patterns = writtenInSchemas();
    expect(patterns.length).toBeGreaterThan(5);
    expect(patterns.filter((each) => faultsOf(each).length > 0)).toEqual([]);
  });

  test('none is put together at run time, where nothing could judge it', () => {
    expect(made).toEqual([]);
  });

  test.each([
    ['blanks around a separator', /\s*;\s*/],
    ['blanks at the end', /\s+$/],
    ['nested repetition', /^(?:a+)+$/],
  ])('%s would be found', (_, pattern) => {
    expect(faultsOf(pattern)).not.toEqual([]);
  });
});
