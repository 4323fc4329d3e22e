import { copiedTables } from '../../src/storage/copied_tables.ts';
import { ask } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** The values of all rows of a store, on either database: for a test that looks for what must not be there. */
export async function textOfStore({ read }: Pick<Storage, 'read'>): Promise<string> {
  const tables = await Promise.all(
    copiedTables().map(({ name }) => read(ask<Record<string, unknown>>(`SELECT * FROM ${name}`))),
  );
  return tables.flat().flatMap(Object.values).map(textOf).join('\n');
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}
