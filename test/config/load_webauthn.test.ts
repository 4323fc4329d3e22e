import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Config, ConfigError } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { remarksOn } from '../../src/config/remarks.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

function load(webauthn: string, publicBaseUrl = 'https://matrix.example.org'): Config {
  const lines = [
    `public_base_url: ${publicBaseUrl}`,
    'trusted_proxies: [127.0.0.1]',
    `webauthn: ${webauthn}`,
  ];
  return loadConfig(folder.write('config.yaml', lines.join('\n')), {});
}

describe('passkeys', () => {
  test('are on unless they are turned off', () => {
    expect(load('{}').webauthn).toBeDefined();
    expect(load('{ enabled: false }').webauthn).toBeUndefined();
    for (const text of ['{}', '{ enabled: false }']) expect(remarksOn(load(text))).toEqual([]);
    expect(remarksOn(load('{ enabled: false }', 'http://127.0.0.1:8010'))).toEqual([]);
  });

  test('are bound to the public host, where nothing else is said', () => {
    expect(load('{}').webauthn).toEqual({
      rpId: 'matrix.example.org',
      rpName: 'matrix.example.org',
      origins: ['https://matrix.example.org'],
      userVerification: 'preferred',
      passwordless: false,
    });
    const local = load('{}', 'http://localhost:8010');
    expect(local.webauthn).toMatchObject({ rpId: 'localhost', origins: ['http://localhost:8010'] });
  });

  test('can be bound to a domain above it, for several pages', () => {
    const origins = ['https://matrix.example.org', 'https://app.example.org:8443'];
    const text = `{ enabled: true, rp_id: example.org, rp_name: Example, origins: ${JSON.stringify(origins)}, user_verification: required }`;
    expect(load(text).webauthn).toEqual({
      rpId: 'example.org',
      rpName: 'Example',
      origins,
      userVerification: 'required',
      passwordless: false,
    });
  });

  test('are off where the public host is an IP address, and check-config says so to those who set something of them', () => {
    for (const address of ['http://127.0.0.1:8010', 'https://192.0.2.1', 'https://[2001:db8::1]']) {
      for (const written of ['{ enabled: true }', '{ user_verification: required }']) {
        const config = load(written, address);
        expect(config.webauthn).toBeUndefined();
        expect(remarksOn(config).join()).toContain('passkeys are off: browsers bind none to an IP address');
      }
      const config = load('', address);
      expect(config.webauthn).toBeUndefined();
      expect(remarksOn(config)).toEqual([]);
    }
  });

  test.each([
    ['{ rp_id: 192.0.2.1 }', 'webauthn.rp_id: must be a domain name'],
    ['{ rp_id: "https://example.org" }', 'webauthn.rp_id: must be a domain name'],
    ['{ rp_id: Example.org }', 'webauthn.rp_id: must be a domain name'],
    ['{ rp_id: example..org }', 'webauthn.rp_id: must be a domain name'],
    ['{ enabled: true, rp_id: example.com }', 'webauthn.rp_id: must have example.com as its host'],
    ['{ origins: ["https://example.org"] }', 'must have matrix.example.org as its host'],
    ['{ origins: ["https://evilmatrix.example.org"] }', 'must have matrix.example.org as its host'],
    ['{ origins: ["http://matrix.example.org"] }', 'must begin with https://'],
    ['{ origins: ["https://matrix.example.org/"] }', 'must be written as browsers do'],
    ['{ origins: ["https://matrix.example.org:443"] }', 'must be written as browsers do'],
    ['{ origins: ["https://MATRIX.example.org"] }', 'must be written as browsers do'],
    ['{ origins: ["null"] }', 'must be a URL'],
    ['{ origins: ["*"] }', 'must be a URL'],
    ['{ user_verification: always }', 'webauthn.user_verification'],
    ['{ passwordless: true }', 'webauthn.passwordless: needs homeserver.appservice'],
    ['{ enabled: false, passwordless: true }', 'webauthn.passwordless: needs passkeys, which are off'],
  ])('%s is refused: %s', (written, reason) => {
    expect(() => load(written)).toThrow(ConfigError);
    expect(() => load(written)).toThrow(reason);
  });
});
