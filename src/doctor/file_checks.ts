import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { remarksOn } from '../config/remarks.ts';
import { missingTexts } from '../pages/texts/own_texts.ts';
import { type Finding, fail, type InsideCheck, listed, ok, warn } from './check.ts';
import type { Installation } from './installation.ts';

/** As `check-config`: what cannot be read at all ends `doctor` before this is asked. */
export const configCheck: InsideCheck = {
  id: 'config',
  about: 'the configuration is valid, and likely what was meant',
  outside: false,
  run: async ({ config, parts }) => {
    const tried = [`read ${parts.configFile}`];
    const remarks = [...remarksOn(config), ...missingTexts(config.brand)];
    if (remarks.length === 0) return ok(tried, `${parts.configFile} is fine`);
    return warn(
      tried,
      remarks.join('; '),
      `change ${parts.configFile}, if that is not meant (docs/configure.md)`,
    );
  },
};

/** A file that holds secrets, as the file system describes it. */
export interface SecretFile {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  /** Which bits of the mode it must not have. */
  readonly forbidden: number;
  /** Whether it must belong to the user that runs `serve`. */
  readonly ownedByServe: boolean;
}

const OTHERS_AND_GROUP = 0o077;
/** A group may have been given to `serve` for it. */
const OTHERS = 0o007;

export const filesCheck: InsideCheck = {
  id: 'files',
  about: 'files with secrets are readable by their owner alone, who runs serve',
  outside: false,
  run: async (installation) => {
    const files = secretFiles(installation);
    return judgeFiles(files, ownerOfServe(installation));
  },
};

/** @param owner the user that runs `serve`, as far as can be told */
export function judgeFiles(files: readonly SecretFile[], owner: number | undefined): Finding {
  const tried = files.map(({ path }) => `looked at ${path}`);
  const readable = files.filter(({ mode, forbidden }) => (mode & forbidden) !== 0);
  if (readable.length > 0) {
    const named = readable.map(({ path, mode }) => `${path} (mode ${octal(mode)})`);
    return fail(
      tried,
      `others than its owner may use ${listed(named)}`,
      `chmod go-rwx ${readable.map(({ path }) => path).join(' ')}`,
    );
  }
  const foreign = files.filter(
    ({ uid, ownedByServe }) => ownedByServe && owner !== undefined && uid !== owner,
  );
  if (foreign.length === 0) return ok(tried, 'files with secrets are for their owner alone');
  const named = foreign.map(({ path, uid }) => `${path} (user ${uid})`);
  return fail(
    tried,
    `serve runs as user ${owner}, which does not own ${listed(named)}`,
    `chown ${owner} ${foreign.map(({ path }) => path).join(' ')}`,
  );
}

function secretFiles({ config, parts }: Installation): SecretFile[] {
  const { storage, keys, admin } = config;
  const database = storage.type === 'sqlite' ? ['', '-wal', '-shm'].map((end) => storage.path + end) : [];
  const keyFile = 'file' in keys.source ? [keys.source.file] : [];
  const marks = keys.marks === undefined ? [] : [keys.marks];
  const tokens = admin.listen === undefined ? [] : [admin.tokensFile];
  return [
    ...[...keyFile, ...marks, ...tokens].flatMap((path) => lookAt(path, OTHERS_AND_GROUP, true)),
    ...database.flatMap((path) => lookAt(path, OTHERS, true)),
    ...parts.secretFiles.flatMap((path) => lookAt(path, OTHERS, false)),
  ];
}

/** One that is not there, or cannot be looked at, is for other checks to tell of. */
function lookAt(path: string, forbidden: number, ownedByServe: boolean): SecretFile[] {
  try {
    const { mode, uid } = statSync(path);
    return [{ path, mode, uid, forbidden, ownedByServe }];
  } catch {
    return [];
  }
}

/** The user that `doctor` runs as, which should be that of `serve`; for root the owner of the database's folder. */
function ownerOfServe({ config }: Installation): number | undefined {
  const own = process.getuid?.();
  if (own !== 0) return own;
  if (config.storage.type !== 'sqlite') return undefined;
  return statSync(dirname(config.storage.path), { throwIfNoEntry: false })?.uid;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
