import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const PROOFS = [
  ...['FactorPassed', 'StandingPasses', 'PassPresented', 'PassRedeemed', 'ServiceListed'],
  ...['OAuthGrantClaimed', 'RefreshPresented', 'RefreshRepeated'],
];
const CLOSED = [...PROOFS, 'Grant', 'Proof', 'PassingProof', 'ReleasingProof'];
const CAST = new RegExp(`\\bas\\s+(?:\\w+\\s+as\\s+)?(?:${CLOSED.join('|')})\\b`);
/** Where grants and proofs pass by. */
const NEAR = ['second_factor', 'login', 'oauth', 'pages'];

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join('src', file), 'utf8') }));

function filesWith(pattern: RegExp): string[] {
  return sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file);
}

test('the list of wrong releases is checked by tsc', () => {
  const { include, exclude } = JSON.parse(readFileSync('tsconfig.json', 'utf8')) as {
    include: string[];
    exclude?: string[];
  };
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { check: string } };
  expect(include).toContain('test');
  expect(exclude).toBeUndefined();
  expect(scripts.check).toContain('tsc --noEmit -p tsconfig.json');
  const expected = readFileSync('test/house/wrong_releases.ts', 'utf8').match(/@ts-expect-error/g);
  expect(expected?.length).toBeGreaterThan(30);
});

test('no source casts to a proof or to a grant', () => {
  expect(filesWith(CAST)).toEqual([]);
});

test.each(['x as FactorPassed', 'x as unknown as Grant', 'x as never as Proof'])(
  'the cast %s would be found',
  (text) => {
    expect(CAST.test(text)).toBe(true);
  },
);

test('nothing near a grant is cast to something unknown, or to anything', () => {
  const found = filesWith(/\bas\s+(?:unknown\s+as|any|never)\b/);
  expect(found.filter((file) => NEAR.some((folder) => file.startsWith(`${folder}/`)))).toEqual([]);
});

test('each proof, and the grant, is made in one file, which does not export its class', () => {
  for (const name of [...PROOFS, 'Grant']) {
    expect(filesWith(new RegExp(`\\bclass ${name}\\b`))).toHaveLength(1);
    expect(filesWith(new RegExp(`export (?:abstract )?class ${name}\\b`))).toEqual([]);
    expect(filesWith(new RegExp(`export \\{[^}]*\\b${name}\\b`))).toEqual([]);
    expect(filesWith(new RegExp(`\\bnew ${name}\\(`))).toEqual(filesWith(new RegExp(`\\bclass ${name}\\b`)));
  }
});

test('only the exit opens a grant', () => {
  expect(filesWith(/\.openFor\(/)).toEqual(['second_factor/exit.ts']);
});
