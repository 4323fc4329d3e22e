import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findPython } from '../../tools/synapse/python.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'python-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function pretendPython(name: string, ...lines: string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}\n`);
  await chmod(path, 0o755);
  return path;
}

test('no Python at all is said in one sentence', async () => {
  const found = findPython([join(folder, 'nowhere')]);
  await expect(found).rejects.toMatchObject({
    problem: 'no_python',
    message: expect.stringContaining('3.10'),
  });
});

test('a Python that is too old counts as none', async () => {
  await expect(findPython([await pretendPython('old', '3 9', 'venv')])).rejects.toMatchObject({
    problem: 'no_python',
  });
});

test('a Python without venv is told apart from a missing one', async () => {
  await expect(findPython([await pretendPython('bare', '3 12', 'no venv')])).rejects.toMatchObject({
    problem: 'no_venv',
    message: expect.stringContaining('python3-venv'),
  });
});

test('the first usable Python is taken', async () => {
  const old = await pretendPython('old', '3 8', 'venv');
  const good = await pretendPython('good', '3 13', 'venv');
  await expect(findPython([old, good])).resolves.toBe(good);
});
