import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { validator } from '../../src/matrix/registry.ts';
import type { ShapeName } from '../../src/matrix/shapes.ts';
import { specExamples, specPage, specPages } from '../support/spec_examples.ts';
import { WRONG_EXAMPLES } from './wrong_examples.ts';

const examples = specExamples();

/** The names of all shapes on the wire, by their files; the configuration is checked by the code that reads it. */
const shapeNames = readdirSync('schemas')
  .filter((file) => file !== 'config.json')
  .map((file) => file.replace('.json', ''))
  .sort();

/** The shapes that this value fails, with the reasons; empty if it has the shape. */
function failures(shape: string, value: unknown): readonly string[] {
  const check = validator(shape as ShapeName);
  if (check(value)) return [];
  return (check.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

describe('the examples in spec/', () => {
  test.each(examples)('$place is a right $schema', ({ schema, text }) => {
    expect(schema).toBeDefined();
    expect(failures(schema ?? '', JSON.parse(text))).toEqual([]);
  });

  test('every schema has one', () => {
    const shown = new Set(examples.map((example) => example.schema));
    expect(shapeNames.filter((name) => !shown.has(name))).toEqual([]);
  });

  test('every JSON block is found, whatever its first line is', () => {
    const opened = specPages().flatMap((page) => specPage(page).match(/^```json/gm) ?? []);
    expect(examples).toHaveLength(opened.length);
  });
});

describe('the wrong examples', () => {
  const cases = Object.entries(WRONG_EXAMPLES).flatMap(([shape, wrongs]) =>
    Object.entries(wrongs).map(([why, value]) => ({ shape, why, value })),
  );

  test.each(cases)('$shape: $why', ({ shape, value }) => {
    expect(failures(shape, value)).not.toEqual([]);
  });

  test('there are some for every schema', () => {
    expect(Object.keys(WRONG_EXAMPLES).sort()).toEqual(shapeNames);
  });
});

describe('the pages', () => {
  const links = specPages().flatMap((page) =>
    [...specPage(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].map((match) => ({
      page,
      target: match[1] || page,
      anchor: match[2],
    })),
  );

  test.each(links)('$page: the link to $target $anchor leads somewhere', ({ target, anchor }) => {
    if (!target.endsWith('.md')) {
      expect(existsSync(new URL(target, new URL('../../spec/', import.meta.url)))).toBe(true);
      return;
    }
    expect(specPages()).toContain(target);
    if (anchor !== undefined) expect(anchorsOf(specPage(target))).toContain(anchor);
  });
});

describe('the schemas', () => {
  test('each carries the id that its file name makes', () => {
    for (const name of shapeNames) {
      const { $id } = validator(name as ShapeName).schema as { $id: string };
      expect($id).toBe(`https://matrix-2fa-proxy.invalid/schemas/${name}.json`);
    }
  });

  test('each is a sound JSON Schema 2020-12', () => {
    const ajv = new Ajv2020();
    for (const name of shapeNames) {
      const { schema } = validator(name as ShapeName);
      expect({ name, sound: ajv.validateSchema(schema) }).toEqual({ name, sound: true });
    }
  });
});

/** The anchors of the headings of a page, as Markdown renderers make them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-'),
  );
}
