import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/**
 * What PgBouncer in transaction mode does not carry over from one transaction to the next, or refuses at the start
 * (https://www.pgbouncer.org/features.html).
 */
const BOUND_TO_A_CONNECTION: Readonly<Record<string, RegExp>> = {
  'a setting of the session': /[;`'"]\s*(?:SET\s+(?!LOCAL\b)[\w. ]+(?:=|\bTO\b)|RESET\b|DISCARD\b)/,
  'a setting by a function': /\bset_config\(/i,
  'a lock of the session': /\bpg_(?:try_)?advisory_lock/i,
  'LISTEN and NOTIFY': /[;`'"]\s*(?:UN)?LISTEN\b/,
  'a prepared statement': /[;`'"]\s*(?:PREPARE\s|EXECUTE\s|DEALLOCATE\b)/,
  'a statement with a name': /\bquery\(\s*\{[^}]*\bname\b/,
  'a temporary table': /\bCREATE\s+(?:LOCAL\s+)?TEMP/i,
  'a cursor that outlives its transaction': /\bWITH\s+HOLD\b/i,
  'the last number of a session': /\b(?:currval|lastval)\(/i,
  'a parameter at the start':
    /\b(?:statement_timeout|lock_timeout|idle_in_transaction_session_timeout|replication|options):\s*(?!string|Pick)['"\d`]/,
};

function findings(text: string): string[] {
  return Object.entries(BOUND_TO_A_CONNECTION).flatMap(([what, pattern]) =>
    pattern.test(text) ? [what] : [],
  );
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.ts$/.test(file))
  .filter((file) => file.startsWith('storage/') || /^(?:factors\/.*\/tables|.*\/look)\.ts$/.test(file));

test('no statement for PostgreSQL is bound to a connection', () => {
  const found = files.flatMap((file) =>
    findings(readFileSync(join('src', file), 'utf8')).map((what) => `${file}: ${what}`),
  );
  expect(found).toEqual([]);
});

test.each([
  "query('SET lock_timeout = 0')",
  "query('SET SESSION lock_timeout TO 0')",
  '`BEGIN;\n  SET search_path = a`',
  "query('RESET ALL')",
  "query('SELECT set_config($1, $2, false)')",
  "query('SELECT pg_advisory_lock($1)')",
  "query('SELECT pg_try_advisory_lock($1)')",
  "query('LISTEN changes')",
  "query('PREPARE a AS SELECT 1')",
  "query({ name: 'a', text: 'SELECT 1' })",
  "query('CREATE TEMPORARY TABLE a (b TEXT)')",
  "query('SELECT lastval()')",
  'new Pool({ statement_timeout: 5000 })',
  "new Pool({ options: '-c lock_timeout=1s' })",
])('%s would be found', (text) => {
  expect(findings(text)).toHaveLength(1);
});

test.each([
  "query('SET LOCAL lock_timeout = 0')",
  '`UPDATE a SET b = 1`',
  "'SELECT pg_advisory_xact_lock($1)'",
])('%s is none', (text) => {
  expect(findings(text)).toEqual([]);
});
