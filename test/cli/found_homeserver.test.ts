import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { findHomeserver } from '../../src/cli/found_homeserver.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { startStub } from '../support/stub/stub.ts';
import { commandLine } from './command_line.ts';

const VERSIONS = { '/_matrix/client/versions': { versions: ['v1.11'] } };
const PASSWORDS = { '/_matrix/client/v3/login': { flows: [{ type: 'm.login.password' }] } };
const METADATA = { '/_matrix/client/v1/auth_metadata': { issuer: 'https://auth.example.org/' } };

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

/** A homeserver that answers these paths with these objects, and 404 to all others. */
async function homeserver(answers: Readonly<Record<string, unknown>>, name?: string): Promise<string> {
  server = createServer((request, response) => {
    const found = answers[request.url ?? ''];
    if (name !== undefined) response.setHeader('Server', name);
    response.writeHead(found === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(found ?? { errcode: 'M_UNRECOGNIZED' }));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const calledBy = (name: string, version: string) => ({
  '/_matrix/federation/v1/version': { server: { name, version } },
});

describe('what a homeserver shows of itself', () => {
  test('its name and version, by its federation API or by its header', async () => {
    const url = await homeserver({ ...VERSIONS, ...PASSWORDS, ...calledBy('Synapse', '1.163.2') });
    expect(await findHomeserver(url)).toEqual({
      name: 'Synapse 1.163.2',
      takesPasswords: true,
      endsOAuth: undefined,
      publicUrl: undefined,
    });
  });

  test('by its header where federation is served elsewhere', async () => {
    const url = await homeserver({ ...VERSIONS, ...PASSWORDS }, 'Synapse/1.163.2');
    expect(await findHomeserver(url)).toMatchObject({ name: 'Synapse 1.163.2' });
  });

  test.each([
    ['continuwuity', '[global.oauth] compatibility_mode = "disabled"'],
    ['Tuwunel', 'oidc_native_auth = false, and no identity_provider'],
    ['Synapse', 'matrix_authentication_service: { enabled: false }'],
    ['Else', 'see its documentation'],
  ])('the line that ends the OAuth of %s', async (name, endsOAuth) => {
    const url = await homeserver({ ...VERSIONS, ...METADATA, ...calledBy(name, '1') });
    expect(await findHomeserver(url)).toMatchObject({ takesPasswords: false, endsOAuth });
  });

  test('the address that its well-known names', async () => {
    const wellKnown = { 'm.homeserver': { base_url: 'https://matrix.example.org/' } };
    const url = await homeserver({ ...VERSIONS, '/.well-known/matrix/client': wellKnown });
    expect(await findHomeserver(url)).toMatchObject({ publicUrl: 'https://matrix.example.org/' });
  });

  test.each([
    ['nothing there', {}],
    ['no object', { '/_matrix/client/versions': ['v1.11'] }],
    ['another program', { '/_matrix/client/versions': { hello: 'world' } }],
  ])('no homeserver: %s', async (_name, answers) => {
    expect(await findHomeserver(await homeserver(answers))).toBeUndefined();
  });

  test.each<[PersonalityName, boolean]>([
    ['synapse', false],
    ['dendrite', false],
    ['conduit', false],
    ['tuwunel', false],
    ['continuwuity', true],
  ])('as %s answers', async (personality, hasOAuth) => {
    const stub = await startStub({ personality });
    const found = await findHomeserver(stub.url);
    await stub.stop();
    expect(found?.takesPasswords).toBe(true);
    expect(found?.endsOAuth !== undefined).toBe(hasOAuth);
  });
});

test('init says what it found, and takes the address that clients use from the homeserver', async () => {
  const line = commandLine();
  const wellKnown = { 'm.homeserver': { base_url: 'https://matrix.example.org/' } };
  const url = await homeserver({
    ...VERSIONS,
    ...METADATA,
    ...calledBy('continuwuity', '26.8.0'),
    '/.well-known/matrix/client': wellKnown,
  });
  const made = await line.type('init', '--dir', line.folder, '--homeserver', url);
  expect(made.code).toBe(0);
  expect(made.out).toContain(`Found continuwuity 26.8.0 at ${url}.`);
  expect(made.err.split('\n')).toEqual([
    'note: continuwuity 26.8.0 takes no passwords: no user could sign in through this proxy',
    'note: continuwuity 26.8.0 has an OAuth of its own, which asks for no code; the line that ends it: [global.oauth] compatibility_mode = "disabled"',
  ]);
  expect(loadConfig(line.configFile, {}).publicBaseUrl).toBe('https://matrix.example.org');
  line.remove();
});
