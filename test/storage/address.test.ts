import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { poolConfig, postgresName } from '../../src/storage/postgres/address.ts';

const folder = mkdtempSync(join(tmpdir(), 'postgres-address-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const address = { url: 'postgres://bot:a%40b@db.example.org/m%20fa', tls: 'disable', pool: 7 } as const;

describe('the address of a PostgreSQL database', () => {
  test('its parts are decoded, and the port is the usual one where none is named', () => {
    expect(poolConfig(address)).toMatchObject({
      host: 'db.example.org',
      port: 5432,
      user: 'bot',
      password: 'a@b',
      database: 'm fa',
      max: 7,
    });
    expect(poolConfig({ ...address, url: 'postgres://bot@[::1]:6432/db' })).toMatchObject({
      host: '::1',
      port: 6432,
    });
    expect(poolConfig({ ...address, url: 'postgres://bot@localhost/db?host=/run/postgresql' }).host).toBe(
      '/run/postgresql',
    );
  });

  test('verify-full takes a trusted certificate only, require any, disable asks for none', () => {
    expect(poolConfig({ ...address, tls: 'verify-full' }).ssl).toEqual({ rejectUnauthorized: true });
    expect(poolConfig({ ...address, tls: 'require' }).ssl).toEqual({ rejectUnauthorized: false });
    expect(poolConfig(address).ssl).toBe(false);
    const caFile = file('ca.pem', 'certificates');
    expect(poolConfig({ ...address, tls: 'verify-full', caFile }).ssl).toEqual({
      rejectUnauthorized: true,
      ca: 'certificates',
    });
  });

  test('a password in a file is read for each connection, without the end of its line', () => {
    const passwordFile = file('password', 'first\n');
    const { password } = poolConfig({ ...address, passwordFile });
    if (typeof password !== 'function') throw new Error('the password was read too early');
    expect(password()).toBe('first');
    file('password', 'second\n');
    expect(password()).toBe('second');
  });

  test('people are shown no password', () => {
    expect(postgresName(address)).toBe('postgres://bot@db.example.org/m%20fa');
    expect(postgresName({ url: 'postgres://bot:pw@localhost/db?host=/run/postgresql' })).toBe(
      'postgres://bot@/run/postgresql/db',
    );
  });
});
