import { basename } from 'node:path';
import { BadValue } from '../config/values.ts';
import { howToInstall } from '../doctor/homeserver_logins.ts';
import { codeOf } from '../system/file_rights.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { writeNew } from '../vault/private_file.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { fromOption } from './init_choices.ts';

const TOKEN_BITS = 256;
/** A host name or an IP address, with a port or without (Matrix specification, "Server name"). */
const SERVER_NAME = /^(?:[A-Za-z0-9.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

interface AppserviceOptions {
  readonly appservice?: true;
  readonly serverName?: string;
}

/** A registration that is to be written. */
export interface NewRegistration {
  readonly file: string;
  readonly serverName: string;
}

/**
 * The registration that `init --appservice` is to write; undefined without that option.
 * @param known what Synapse's configuration says
 * @throws UsageError
 */
export function registrationWanted(
  file: string,
  { appservice, serverName }: AppserviceOptions,
  known: string | undefined,
): NewRegistration | undefined {
  if (appservice === undefined && serverName === undefined) return undefined;
  if (appservice === undefined) throw new UsageError('--server-name is for --appservice');
  const name = serverName ?? known;
  if (name === undefined) throw new UsageError('--appservice needs --server-name');
  return { file, serverName: fromOption({ option: '--server-name', parse: serverNameIn }, name) };
}

/** Writes it for its owner alone. @throws CommandFailed */
export function writeRegistration({ file, serverName }: NewRegistration, random: RandomSource): void {
  try {
    writeNew(file, registrationText(serverName, random));
  } catch (error) {
    throw new CommandFailed(`${file} cannot be written: ${codeOf(error)}`);
  }
}

/** What stands in the section `homeserver` of the configuration. */
export function settingOf({ file }: NewRegistration): string {
  return `appservice: { file: ${basename(file)} }`;
}

/** @param homeserver what it calls itself, as far as it is known */
export function nextSteps({ file }: NewRegistration, homeserver: string | undefined): string[] {
  return [
    `  - make ${file} known to the homeserver, and keep it secret: its token opens every account`,
    ...howToInstall(file, homeserver).map((way) => `      ${way}`),
  ];
}

function registrationText(serverName: string, random: RandomSource): string {
  return `# matrix-2fa-proxy as an application service of the homeserver. The as_token opens every account.
id: matrix-2fa-proxy
url: null
as_token: ${randomId(random, TOKEN_BITS)}
hs_token: ${randomId(random, TOKEN_BITS)}
sender_localpart: two-factor
rate_limited: false
namespaces:
  users: [{ regex: '@.*:${serverName.replace(/[.[\]]/g, '\\$&')}', exclusive: false }]
`;
}

/** @throws BadValue */
function serverNameIn(written: string): string {
  if (SERVER_NAME.test(written)) return written;
  throw new BadValue('must be what stands behind the colon of user ids, such as example.org');
}
