import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { codeOf } from '../system/file_rights.ts';

/** The file of `--homeserver-config` cannot be used; the message says why. */
export class SynapseFileError extends Error {}

/** What Synapse's configuration says of what concerns us. */
export interface SynapseFile {
  readonly path: string;
  readonly serverName: string;
  readonly publicUrl: string | undefined;
  /** Whether an account may sign in more often than by default: a second factor may take two logins. */
  readonly hasRoomForLogins: boolean;
  /** How many listeners clients can reach. */
  readonly clientListeners: number;
  /** Those that do not believe the address that we pass on, by port or socket. */
  readonly withoutForwarded: readonly string[];
  /** The largest upload. */
  readonly uploadBytes: number;
}

/** https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_login */
const DEFAULT_PER_SECOND = 0.003;
const DEFAULT_BURST = 5;
const DEFAULT_UPLOAD = '50M';
const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/**
 * Reads Synapse's `homeserver.yaml`. Nothing of it is shown: it holds secrets.
 * @throws SynapseFileError
 */
export function readSynapseFile(path: string): SynapseFile {
  const { serverName, settings } = settingsIn(path);
  const account = objectIn(objectIn(settings.rc_login).account);
  const { per_second: perSecond = DEFAULT_PER_SECOND, burst_count: burst = DEFAULT_BURST } = account;
  const listeners = listOf(settings.listeners).filter(servesClients);
  return {
    path,
    serverName,
    publicUrl: typeof settings.public_baseurl === 'string' ? settings.public_baseurl : undefined,
    hasRoomForLogins: Number(perSecond) > DEFAULT_PER_SECOND || Number(burst) > DEFAULT_BURST,
    clientListeners: listeners.length,
    withoutForwarded: listeners
      .filter((listener) => !believesForwarded(listener))
      .map(({ path: socket, port }) => String(socket ?? port)),
    uploadBytes: bytesIn(settings.max_upload_size) ?? bytesIn(DEFAULT_UPLOAD) ?? 0,
  };
}

function settingsIn(path: string): { serverName: string; settings: JsonObject } {
  const settings = parsed(path, textOf(path));
  if (isJsonObject(settings) && typeof settings.server_name === 'string') {
    return { serverName: settings.server_name, settings };
  }
  throw new SynapseFileError(
    `--homeserver-config ${path} is not a homeserver.yaml of Synapse: it has no server_name`,
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SynapseFileError(`--homeserver-config ${path} cannot be read: ${codeOf(error)}`);
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch {
    // The parser's message quotes the text around the fault, which may be a secret (rule R11).
    throw new SynapseFileError(`--homeserver-config ${path} is not valid YAML`);
  }
}

function servesClients({ resources }: JsonObject): boolean {
  return listOf(resources).some(({ names }) => Array.isArray(names) && names.includes('client'));
}

/** On a socket of the file system Synapse does so by default. */
function believesForwarded({ path, x_forwarded: forwarded }: JsonObject): boolean {
  return forwarded === true || (path !== undefined && forwarded !== false);
}

function bytesIn(written: unknown): number | undefined {
  const [, count, unit = ''] = /^(\d+)([KMG]?)$/i.exec(String(written)) ?? [];
  return count === undefined ? undefined : Number(count) * (UNITS[unit.toUpperCase()] ?? 1);
}

function objectIn(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
