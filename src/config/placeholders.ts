import type { Json } from '../matrix/wire.ts';

/** What stands for the names in braces: in `{text}` that of `text`. */
export type Placeholders = Readonly<Record<string, string>>;

const PLACEHOLDER = /\{([A-Za-z_]+)\}/g;

/** The names in braces, each as often as it stands there. */
export function placeholdersIn(template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
}

/** Fills a template in. No value is looked through for further names. */
export function filled(
  template: string,
  values: Placeholders,
  written: (value: string) => string = asItIs,
): string {
  return template.replace(PLACEHOLDER, (whole, name: string) =>
    Object.hasOwn(values, name) ? written(values[name] ?? '') : whole,
  );
}

/** The same for all strings within JSON; names of keys stay as they are. */
export function filledJson(template: Json, values: Placeholders): Json {
  if (typeof template === 'string') return filled(template, values);
  if (Array.isArray(template)) return template.map((each) => filledJson(each, values));
  if (template === null || typeof template !== 'object') return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [key, filledJson(value ?? null, values)]),
  );
}

/** The strings within JSON, one behind the other. */
export function stringsIn(json: Json): string[] {
  if (typeof json === 'string') return [json];
  if (json === null || typeof json !== 'object') return [];
  return Object.values(json).flatMap((each) => stringsIn(each ?? null));
}

function asItIs(value: string): string {
  return value;
}
