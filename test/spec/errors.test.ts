import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Refusal, type RefusalDetail, type RefusalName } from '../../src/matrix/refusals.ts';
import { validator } from '../../src/matrix/registry.ts';
import { specPage } from '../support/spec_examples.ts';

/** The cases that the implementation knows. */
function refusalNames(): RefusalName[] {
  const source = readFileSync(new URL('../../src/matrix/refusals.ts', import.meta.url), 'utf8');
  const table = source.slice(source.indexOf('const KINDS = {'), source.indexOf('} as const satisfies'));
  return [...table.matchAll(/^ {2}(\w+): \{/gm)].map((match) => match[1] as RefusalName);
}

/** The rows of the table in `spec/errors.md`. */
function specified(): string[] {
  return [...specPage('errors.md').matchAll(/^\| `(\w+)` \| (\d+) \| `(\w+)` \|/gm)].map(
    ([, name, status, errcode]) => `${name} ${status} ${errcode}`,
  );
}

function refusalOf(name: RefusalName, detail: RefusalDetail = {}): Refusal {
  return name === 'limit_exceeded'
    ? new Refusal(name, { ...detail, limit: 'address' })
    : new Refusal(name, detail);
}

test('spec/errors.md lists every refusal with its status and errcode, and no other', () => {
  const implemented = refusalNames().map((name) => {
    const refusal = refusalOf(name);
    return `${name} ${refusal.status} ${refusal.errcode}`;
  });
  expect(implemented.length).toBeGreaterThan(20);
  expect(specified().sort()).toEqual(implemented.sort());
});

test.each(refusalNames())('the body of %s has the shape of an error', (name) => {
  const isError = validator('error');
  expect(isError(refusalOf(name).body())).toBe(true);
  expect(isError(refusalOf(name, { retryAfterMs: 1234.5 }).body())).toBe(true);
});
