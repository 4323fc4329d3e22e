import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { appserviceCheck } from '../../src/doctor/appservice_check.ts';
import { Installation } from '../../src/doctor/installation.ts';
import { Web } from '../../src/doctor/web.ts';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';
import { systemRandom } from '../../src/system/random.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const WAYS = [
  'app_service_config_files: [',
  'app_service_api: { config_files: [',
  '!admin appservices register',
];

/**
 * What each of them needs to find in the file, and of which type. Synapse (`synapse/config/appservice.py`) wants the strings
 * and a `url`, which may be null; Dendrite (`setup/config/config_appservice.go`) makes an empty string of a null, and sends
 * such a service nothing; tuwunel and continuwuity read Ruma's `Registration` (ruma-appservice-api, `src/lib.rs`).
 */
const NEEDED = {
  ...{ id: 'string', url: 'null', as_token: 'string', hs_token: 'string', sender_localpart: 'string' },
  ...{ rate_limited: 'boolean', namespaces: 'object' },
};

/** What it calls itself, and how it is told of a registration. */
const FAMILIES: readonly (readonly [PersonalityName, string, string])[] = [
  ['synapse', 'Synapse', 'app_service_config_files: ['],
  ['dendrite', 'Dendrite', 'app_service_api: { config_files: ['],
  ['tuwunel', 'tuwunel', '!admin appservices register'],
  ['continuwuity', 'continuwuity', '!admin appservices register'],
];

let line: CommandLine;
let stub: StubHomeserver;

beforeEach(() => {
  line = commandLine();
});
afterEach(async () => {
  line.remove();
  await stub.stop();
});

test.each(FAMILIES)(
  'before %s: the file is one that it reads, and its way to install is told',
  async (personality, name, way) => {
    stub = await startStub({ personality, oauth: false });
    stub.override(/federation\/v1\/version/, () => ({
      status: 200,
      body: { server: { name, version: '1' } },
    }));
    const asked = ['--homeserver', stub.url, '--appservice', '--server-name', 'localhost'];
    const made = await line.type('init', '--dir', line.folder, ...asked);
    expect(made.code).toBe(0);
    expect(WAYS.filter((each) => made.out.includes(each))).toEqual([way]);

    const registration: JsonObject = parse(readFileSync(join(line.folder, 'appservice.yaml'), 'utf8'));
    const types = Object.entries(registration).map(([field, value]) => [
      field,
      value === null ? 'null' : typeof value,
    ]);
    expect(Object.fromEntries(types)).toEqual(NEEDED);
    const { namespaces } = registration;
    const users = isJsonObject(namespaces) && Array.isArray(namespaces.users) ? namespaces.users : [];
    expect(users).toEqual([{ regex: '@.*:localhost', exclusive: false }]);

    // Before it is installed, and after.
    expect(await found()).toBe('fail');
    stub.switches.applicationServices.push({
      ...{ token: String(registration.as_token), prefix: '' },
      senderLocalpart: String(registration.sender_localpart),
    });
    expect(await found()).toBe('ok');
  },
);

/** What `doctor` says of it. */
async function found(): Promise<string> {
  const web = new Web();
  const parts = {
    configFile: line.configFile,
    secretFiles: [],
    clock: line.clock,
    random: systemRandom,
    web,
  };
  const installation = new Installation({ ...parts, config: loadConfig(line.configFile, {}) });
  try {
    return (await appserviceCheck.run(installation)).verdict;
  } finally {
    await installation.close();
    web.close();
  }
}
