/** All statements that the functions of `src/storage/tables/` make, whether or not a request of a test makes them. */
import { readdirSync } from 'node:fs';
import type { Sql } from '../../src/storage/statement.ts';

const FOLDER = new URL('../../src/storage/tables/', import.meta.url);

/** A function of a table whose statements could not be made: its name. */
export interface TableStatements {
  readonly sql: readonly string[];
  readonly unmade: readonly string[];
}

/** In SQLite's words. What the functions are given does not matter: values are no part of a plan. */
export async function tableStatements(): Promise<TableStatements> {
  const sql = new Set<string>();
  const unmade: string[] = [];
  for (const file of readdirSync(FOLDER)) {
    const made = (await import(new URL(file, FOLDER).href)) as Record<string, unknown>;
    for (const [name, each] of Object.entries(made)) {
      if (!isFunction(each) || isClass(each)) continue;
      try {
        const given = Array.from({ length: Math.max(each.length, 4) }, () => anything());
        for (const text of statementsIn(each(...given))) sql.add(text);
      } catch {
        unmade.push(`${file}: ${name}`);
      }
    }
  }
  return { sql: [...sql], unmade };
}

function isFunction(value: unknown): value is (...given: unknown[]) => unknown {
  return typeof value === 'function';
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

/** Passes for a row, a list of one, a function, a text and a number. */
function anything(): unknown {
  const list = ['x'];
  return new Proxy(() => anything(), {
    get(_target, name) {
      if (name === Symbol.toPrimitive) return (hint: string) => (hint === 'number' ? 1 : 'x');
      if (name === 'toJSON') return () => 'x';
      const ofList = Reflect.get(list, name);
      return typeof ofList === 'function' ? ofList.bind(list) : (ofList ?? anything());
    },
  });
}

function statementsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (typeof value !== 'object' || value === null) return [];
  const { sql, ...parts } = value as { readonly sql?: Sql };
  const below = Object.values(parts).flatMap(statementsIn);
  if (sql === undefined) return below;
  return [typeof sql === 'string' ? sql : sql.sqlite, ...below];
}
