import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { codeOf } from '../system/file_rights.ts';
import { UsageError } from './failures.ts';

/** What Synapse's configuration says of what concerns us. */
export interface SynapseSettings {
  readonly publicUrl: string | undefined;
  /** Whether an account may sign in more often than by default: a second factor may take two logins. */
  readonly hasRoomForLogins: boolean;
  /** Listeners for clients that do not believe the address that we pass on. */
  readonly withoutForwarded: readonly string[];
}

/** https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_login */
const DEFAULT_PER_SECOND = 0.003;
const DEFAULT_BURST = 5;

/**
 * Reads Synapse's `homeserver.yaml`. Nothing of it is shown: it holds secrets.
 * @throws UsageError
 */
export function readSynapseSettings(file: string): SynapseSettings {
  const settings = settingsIn(file);
  const account = objectIn(objectIn(settings.rc_login).account);
  const { per_second: perSecond = DEFAULT_PER_SECOND, burst_count: burst = DEFAULT_BURST } = account;
  return {
    publicUrl: typeof settings.public_baseurl === 'string' ? settings.public_baseurl : undefined,
    hasRoomForLogins: Number(perSecond) > DEFAULT_PER_SECOND || Number(burst) > DEFAULT_BURST,
    withoutForwarded: listOf(settings.listeners)
      .filter((listener) => servesClients(listener) && listener.x_forwarded !== true)
      .filter(({ path }) => path === undefined)
      .map(({ port }) => String(port)),
  };
}

function settingsIn(file: string): JsonObject {
  const settings = parsed(file, textOf(file));
  if (isJsonObject(settings) && typeof settings.server_name === 'string') return settings;
  throw new UsageError(
    `--homeserver-config ${file} is not a homeserver.yaml of Synapse: it has no server_name`,
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--homeserver-config ${file} cannot be read: ${codeOf(error)}`);
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch {
    // The parser's message quotes the text around the fault, which may be a secret (rule R11).
    throw new UsageError(`--homeserver-config ${file} is not valid YAML`);
  }
}

function servesClients({ resources }: JsonObject): boolean {
  return listOf(resources).some(({ names }) => Array.isArray(names) && names.includes('client'));
}

function objectIn(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
