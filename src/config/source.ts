import { readFileSync } from 'node:fs';
import { type Document, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { isJsonObject } from '../matrix/wire.ts';
import { KEYS_ARE_LOOKED_AT_LATER, offsetOfRepeatedKey } from '../system/repeated_key.ts';
import { ConfigError } from './config.ts';
import { SETTINGS } from './settings.ts';

/** The way to a setting, from the outside in. */
export type SettingPath = readonly (string | number)[];

/** The settings as they were written, and where. */
export interface ConfigSource {
  readonly file: string;
  readonly settings: Record<string, unknown>;
  /** `config.yaml:7: login.hold_ttl`, or the variable that a setting came from. */
  where(path: SettingPath): string;
}

/** Settings that the environment may replace, for containers that carry no file of their own. */
export const VARIABLES: ReadonlyMap<string, SettingPath> = new Map(
  SETTINGS.filter((row) => 'variable' in row).map(({ path }) => [
    `MATRIX_2FA_${path.replaceAll('.', '_').toUpperCase()}`,
    path.split('.'),
  ]),
);

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a YAML file and lays the environment over it. Nothing is checked but that it is YAML.
 *
 * @throws ConfigError if the file cannot be read or is not a mapping
 */
export function readConfigSource(file: string, environment: Environment): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, ...KEYS_ARE_LOOKED_AT_LATER });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const line = problem.linePos?.[0].line;
    throw new ConfigError(`${file}:${line ?? 1}: ${firstLine(problem.message)}`);
  }
  const repeated = offsetOfRepeatedKey(document);
  if (repeated !== undefined) {
    throw new ConfigError(`${file}:${lines.linePos(repeated).line}: Map keys must be unique`);
  }
  const settings = withoutEmpty(valueIn(document, file) ?? {});
  if (!isJsonObject(settings)) throw new ConfigError(`${file}: must hold settings, each as "name: value"`);

  const overridden = applyVariables(settings, environment);
  const where = (path: SettingPath): string => {
    const name = path.map(String).join('.');
    const variable = overridden.get(name);
    if (variable !== undefined) return `${variable} (${name})`;
    const offset = offsetOf(document.contents, path);
    const line = offset === undefined ? '' : `:${lines.linePos(offset).line}`;
    return name === '' ? file : `${file}${line}: ${name}`;
  };
  return { file, settings, where };
}

/** @throws ConfigError where names stand for others so often that the whole would be too large */
function valueIn(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigError(`${file}: ${firstLine((error as Error).message)}`, error);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new ConfigError(`${file}: there is no such file ("matrix-2fa-proxy init" makes one)`, error);
    }
    throw new ConfigError(`${file}: cannot be read: ${(error as Error).message}`, error);
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
}

/** A section whose settings are all commented out reads as null: it counts as absent. */
function withoutEmpty(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpty(inner)]));
}

/** Puts the variables in; answers which setting came from which. */
function applyVariables(settings: Record<string, unknown>, environment: Environment): Map<string, string> {
  const overridden = new Map<string, string>();
  for (const [variable, path] of VARIABLES) {
    const value = environment[variable];
    if (value === undefined || value === '') continue;
    put(settings, path, value);
    overridden.set(path.join('.'), variable);
  }
  return overridden;
}

function put(settings: Record<string, unknown>, path: SettingPath, value: string): void {
  const [key, ...rest] = path.map(String);
  if (key === undefined) return;
  if (rest.length === 0) {
    settings[key] = value;
    return;
  }
  const inner = settings[key];
  const section = isJsonObject(inner) ? inner : {};
  settings[key] = section;
  put(section, rest, value);
}

/** Where in the text the setting stands: its key, or as far in as the text goes. */
function offsetOf(contents: ParsedNode | null, path: SettingPath): number | undefined {
  let node: ParsedNode | null = contents;
  let offset: number | undefined;
  for (const segment of path) {
    if (isMap<ParsedNode, ParsedNode | null>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === segment);
      if (pair === undefined) return offset;
      offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq<ParsedNode>(node)) {
      const item = node.items[Number(segment)];
      if (item === undefined) return offset;
      offset = item.range[0];
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}
