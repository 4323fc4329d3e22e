import { expect, test } from '@jest/globals';
import { findIn, writtenFiles } from './written_files.ts';

/**
 * Words that make a sentence a riddle, or that speak of a user as a man; plain English has others: "they", "again",
 * "the user who", "no one", "another client", "is not a".
 */
const RIDDLES = [
  /\b(?:he|his|him|himself)\b/gi,
  /\banew\b/gi,
  /\bwho(?:m)?ever\b/gi,
  /\b(?:no|some|any)body\b/gi,
  /(?<!\bthere )\b(?:is|are|was|were|be) no (?!longer\b|more\b|one\b|other\b|longer than\b)[a-z]/gi,
  /\b(?:as good as|of ours|no matter)\b/gi,
  /(?:^|[.:;(] ?)Who knows\b/gm,
];

/** Texts in German, where these are other words; and statements that released databases have run. */
const OTHERS =
  /^src\/pages\/texts\/de(?:\.ts$|\/)|^docs\/(?:texts|announce)\.md$|\/migrations\/\d|^(?:test|CHANGELOG)/;

test('code and documents speak plainly', () => {
  const files = writtenFiles().filter(({ file }) => !OTHERS.test(file));
  expect(files.length).toBeGreaterThan(200);
  expect(files.flatMap((each) => RIDDLES.flatMap((riddle) => findIn(each, riddle)))).toEqual([]);
});

test('the riddles are found', () => {
  const text = 'Nobody knows whom he means.\nWhoever asks anew is no user of ours: Who knows?';
  const found = RIDDLES.flatMap((riddle) => findIn({ file: 'a page', text }, riddle));
  expect(found).toHaveLength(7);
});
