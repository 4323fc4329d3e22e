import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../src/matrix/wire.ts';
import { canonicalJson } from '../../src/uia/canonical_body.ts';

/** The same value, with the names of its objects the other way round. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(([key, each]): [string, Json] => [key, reversed(each ?? null)]);
  return Object.fromEntries(members.toReversed());
}

test('equal values have one text, in whatever order their names come', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = value as Json;
      expect(canonicalJson(reversed(json))).toBe(canonicalJson(json));
      expect(JSON.parse(canonicalJson(json))).toEqual(JSON.parse(JSON.stringify(json)));
    }),
  );
});

test('different values have different texts', () => {
  const values: Json[] = [
    { a: 1, b: 2 },
    { a: 2, b: 1 },
    { a: '1', b: 2 },
    [1, 2],
    [2, 1],
    { a: [{ b: 1 }] },
    { a: { b: [1] } },
  ];
  expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
});

test('what is absent says nothing', () => {
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
});
