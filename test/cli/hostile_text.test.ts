import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { renameAuthenticator } from '../../src/storage/tables/authenticator_names.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { type Enrolled, enrol } from '../support/enrolment.ts';
import { HARMFUL, hostileText } from '../support/hostile_text.ts';
import { type CommandLine, commandLine, type Outcome } from './command_line.ts';

const BOB = '@bob:example.org';

let line: CommandLine;
let storage: Storage;
let bob: Enrolled;

beforeAll(async () => {
  line = commandLine();
  await line.type('init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:9');
  storage = await openSqliteStorage({ path: join(line.folder, 'data/2fa.db'), clock: line.clock });
  const vault = new SealingVault(loadKeyRing(join(line.folder, 'data/keys.json')), systemRandom);
  bob = await enrol({ store: storage.factors, vault, clock: line.clock }, BOB, { recoveryCodes: 0 });
});
afterAll(async () => {
  await storage.close();
  line.remove();
});

/** Types a command whose answer holds `text`, which came from somewhere. */
type Typed = (text: string) => Promise<Outcome>;

/** Each place from which a text can come to an operator's terminal. */
const SOURCES: readonly (readonly [string, Typed])[] = [
  ['an authenticator in user show', (text) => afterRename(text, 'show', BOB)],
  ['an authenticator in user show --json', (text) => afterRename(text, 'show', BOB, '--json')],
  ['a user id in user list', (text) => afterOtherUser(text, 'user', 'list')],
  ['a user id in user list --json', (text) => afterOtherUser(text, 'user', 'list', '--json')],
  ['a user id in user show', (text) => afterOtherUser(text, 'user', 'show', otherUser(text))],
  ['a user id in user unlock', (text) => afterOtherUser(text, 'user', 'unlock', otherUser(text))],
  [
    'a user id in user reset',
    (text) =>
      afterOtherUser(text, 'user', 'reset', otherUser(text), '--reason', 'x', '--verified-by', 'y', '--yes'),
  ],
  ['an unknown user', (text) => line.type('user', 'show', `@${text}:nowhere`)],
  ['no user id', (text) => line.type('user', 'show', text)],
  ['no command', (text) => line.type(`x${text}`)],
  ['no option', (text) => line.type('user', 'list', `--x${text}`)],
  ['a configuration that is not there', (text) => line.type('user', 'list', '--config', `x${text}`)],
  [
    'a folder of init',
    (text) => line.type('init', '--dir', join(line.folder, `${folders++}${withoutNul(text)}`)),
  ],
  ['a URL', (text) => line.type('init', '--homeserver', text)],
  ['a copy of the database', (text) => line.type('backup', join(line.folder, 'missing', text))],
  ['a value in the configuration', (text) => withSetting(text, `log: { level: ${JSON.stringify(text)} }`)],
  ['a setting that is not known', (text) => withSetting(text, `${JSON.stringify(`x${text}`)}: 1`)],
  [
    'a file that is not there',
    (text) => withSetting(text, `application_services: [${JSON.stringify(text)}]`),
  ],
  ['a key', withKeyId],
];

test.each(SOURCES)(
  'attack 171: a hostile text is one escaped line on the terminal: %s',
  async (_name, typed) => {
    const harmless = await typed('x');
    await fc.assert(
      fc.asyncProperty(hostileText, async (text) => {
        const { code, out, err } = await typed(text);
        expect(out).not.toMatch(HARMFUL);
        expect(err).not.toMatch(HARMFUL);
        if (code === harmless.code) expect(linesOf({ out, err })).toBe(linesOf(harmless));
      }),
      { numRuns: 25 },
    );
  },
);

test('attack 171: the operator is asked in one harmless line', async () => {
  const questions: string[] = [];
  const { run } = await import('../../src/cli/program.ts');
  await afterOtherUser('\u001b[2J\nyes', 'user', 'list');
  await run(['user', 'reset', otherUser('\u001b[2J\nyes'), '--reason', 'x', '--verified-by', 'y'], {
    environment: { MATRIX_2FA_CONFIG: line.configFile },
    clock: line.clock,
    random: systemRandom,
    out: () => undefined,
    csv: () => undefined,
    err: () => undefined,
    confirm: async (question) => {
      questions.push(question);
      return false;
    },
    untilFault: () => new Promise(() => undefined),
    untilStopped: async () => undefined,
    onReload: () => undefined,
    dialogue: () => undefined,
  });
  expect(questions).toEqual(['Remove every second factor of @\\u001b[2J\\nyes:example.org?']);
});

let folders = 0;

function linesOf({ out, err }: Pick<Outcome, 'out' | 'err'>): number {
  return `${out}\n${err}`.split('\n').length;
}

async function afterRename(name: string, ...words: string[]): Promise<Outcome> {
  await storage.commit([BOB], renameAuthenticator(BOB, bob.authenticatorId, name));
  return line.type('user', ...words);
}

/** SQLite's texts are UTF-8: halves of surrogate pairs do not come back from it. */
function otherUser(text: string): string {
  return `@${text.replaceAll(/\p{Cs}/gu, '')}:example.org`;
}

/** Besides Bob one user has 2FA on, whose id the homeserver said. */
async function afterOtherUser(text: string, ...words: string[]): Promise<Outcome> {
  for (const userId of await storage.factors.enrolledUsers()) {
    if (userId !== BOB) await storage.factors.removeAllFactors(userId);
  }
  const userId = otherUser(text);
  const setup = {
    id: `setup of ${userId}`,
    userId,
    kind: 'totp',
    name: 'phone',
    sealedSeed: Buffer.of(0),
    tokenHash: '',
  };
  await storage.factors.beginSetup({
    ...setup,
    expiresAt: line.clock.now() + 1000,
    failures: 0,
    replaces: [],
  });
  await storage.factors.activate({
    setupId: setup.id,
    userId,
    authenticatorId: `of ${userId}`,
    foldedLocalpart: text,
    sealedSeed: Buffer.of(0),
    step: 0,
    ...{ wasOn: false, replaced: [] },
    recovery: { salt: Buffer.of(0), pepperKeyId: 'key', hashes: [], tags: [], generatedAt: line.clock.now() },
  });
  return line.type(...words);
}

/** No file system has a name with NUL; others refuse halves of surrogate pairs. */
function withoutNul(text: string): string {
  return text.replaceAll('\u0000', '').replaceAll('/', '');
}

async function withSetting(_text: string, setting: string): Promise<Outcome> {
  const config = join(line.folder, 'other.yaml');
  writeFileSync(config, `${readFileSync(line.configFile, 'utf8')}\n${setting}\n`);
  return line.type('check-config', '--config', config);
}

async function withKeyId(text: string): Promise<Outcome> {
  const keys = JSON.parse(readFileSync(join(line.folder, 'data/keys.json'), 'utf8'));
  const id = `x${text}`.slice(0, 20);
  mkdirSync(join(line.folder, 'other'), { recursive: true });
  const file = join(line.folder, 'other/keys.json');
  writeFileSync(file, JSON.stringify({ ...keys, active: id, keys: [{ ...keys.keys[0], id }] }), {
    mode: 0o600,
  });
  const config = join(line.folder, 'other.yaml');
  writeFileSync(config, readFileSync(line.configFile, 'utf8').replace('data/keys.json', 'other/keys.json'));
  return line.type('keys', 'list', '--config', config);
}
