import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ClientInstallError } from '../../tools/clients/install_error.ts';
import { ensureFolder } from '../../tools/clients/kept_folder.ts';

let home: string;
let fillings: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kept-folder-'));
  fillings = [];
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function ensure(contents: string, onFill: () => Promise<void> = async () => undefined): Promise<void> {
  const folder = { directory: join(home, 'clients'), contents, onProgress: () => undefined };
  return ensureFolder(folder, async () => {
    fillings.push(contents);
    await onFill();
  });
}

test('a folder is filled once, also for two who want it at the same time', async () => {
  await Promise.all([ensure('one'), ensure('one')]);
  await ensure('one');
  expect(fillings).toEqual(['one']);
});

test('other contents take the place of what was there', async () => {
  const old = join(home, 'clients', 'old');
  await ensure('one', () => writeFile(old, ''));
  await ensure('two');
  expect(fillings).toEqual(['one', 'two']);
  expect(existsSync(old)).toBe(false);
});

test('a filling that failed is told, and tried again the next time', async () => {
  const failing = ensure('one', async () => {
    throw new ClientInstallError('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  await ensure('one');
  expect(fillings).toEqual(['one', 'one']);
});
