import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { requireUsablePlace } from '../../src/storage/sqlite/place.ts';
import { smallDisk } from '../support/small_disk.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'place-'));
  path = join(folder, '2fa.db');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const looked = (at: string) => () => requireUsablePlace(at);

describe('where a database can be kept', () => {
  test('a file, an empty folder, and one that is not made yet', () => {
    expect(looked(path)).not.toThrow();
    writeFileSync(path, '');
    expect(looked(path)).not.toThrow();
    expect(looked(join(folder, 'not/made/yet/2fa.db'))).not.toThrow();
  });
});

describe('where none can be kept, in one line', () => {
  test('a folder', () => {
    mkdirSync(path);
    expect(looked(path)).toThrow(`${path}: cannot be opened: it is a folder`);
  });

  test('a device', () => {
    expect(looked('/dev/null')).toThrow('/dev/null: cannot be opened: it is not a file');
  });

  test('behind a file', () => {
    writeFileSync(path, '');
    const behind = join(path, 'data/2fa.db');
    expect(looked(behind)).toThrow(
      /^[^ ]*\/data\/2fa\.db: cannot be opened: ENOTDIR \(owner .*, running as \w+\)/,
    );
  });

  test('a link to itself', () => {
    symlinkSync(path, path);
    expect(looked(path)).toThrow(`${path}: cannot be opened: ELOOP`);
  });

  test.each([
    [0x6969, 'NFS'],
    [-11317950, 'CIFS'],
    [0xff534d42, 'CIFS'],
    [0x00c36400, 'Ceph'],
  ])('a network file system, by its number (%d)', (kind, name) => {
    const asked: string[] = [];
    const kindOf = (at: string) => {
      asked.push(at);
      return kind;
    };
    expect(() => requireUsablePlace(join(folder, 'new/2fa.db'), kindOf)).toThrow(
      `cannot be opened: it is on a network file system (${name})`,
    );
    expect(asked).toEqual([folder]);
    expect(() => requireUsablePlace(path, () => 0xef53)).not.toThrow();
  });

  test('a file system that is read-only', () => {
    const disk = smallDisk();
    if (disk === undefined) return;
    try {
      const onDisk = join(disk.folder, '2fa.db');
      writeFileSync(onDisk, '');
      disk.makeReadOnly();
      expect(looked(onDisk)).toThrow(
        /2fa\.db: cannot be opened: EROFS \(owner root, mode 0644, running as root\)$/,
      );
      expect(looked(join(disk.folder, 'other.db'))).toThrow(
        `other.db: cannot be opened: EROFS (owner root, mode 1777, running as root): ${disk.folder}`,
      );
    } finally {
      disk.remove();
    }
  });
});
