import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';

/** The file of `--homeserver-config` cannot be read; the message says why. */
export class SynapseFileError extends Error {}

/** What Synapse's configuration says about things that matter here. */
export interface SynapseFile {
  readonly path: string;
  readonly serverName: string | undefined;
  /** `rc_login.account`; what is left out has Synapse's default. */
  readonly loginRate: { readonly perSecond: number; readonly burstCount: number };
  /** Listeners that clients reach, and whether they believe `X-Forwarded-For`. */
  readonly listeners: readonly { readonly name: string; readonly forwarded: boolean }[];
  /** `max_upload_size` in bytes. */
  readonly uploadBytes: number;
}

/** https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_login */
export const SYNAPSE_LOGIN_RATE = { perSecond: 0.003, burstCount: 5 };
const SYNAPSE_UPLOAD = '50M';
const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/**
 * Reads Synapse's `homeserver.yaml`; undefined if it is the file of another homeserver.
 * @throws SynapseFileError
 */
export function readSynapseFile(path: string): SynapseFile | undefined {
  const settings = settingsIn(path);
  if (typeof settings.server_name !== 'string' && !Array.isArray(settings.listeners)) return undefined;
  const limits = objectAt(settings, 'rc_login');
  const rate = objectAt(limits, 'account');
  return {
    path,
    serverName: typeof settings.server_name === 'string' ? settings.server_name : undefined,
    loginRate: {
      perSecond: numberAt(rate, 'per_second', SYNAPSE_LOGIN_RATE.perSecond),
      burstCount: numberAt(rate, 'burst_count', SYNAPSE_LOGIN_RATE.burstCount),
    },
    listeners: clientListeners(settings.listeners),
    uploadBytes: bytesIn(settings.max_upload_size ?? SYNAPSE_UPLOAD),
  };
}

function settingsIn(path: string): JsonObject {
  let settings: unknown;
  try {
    settings = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [why = ''] = (code ?? message).split('\n');
    throw new SynapseFileError(`--homeserver-config ${path} cannot be read as YAML: ${why}`);
  }
  if (isJsonObject(settings)) return settings;
  throw new SynapseFileError(`--homeserver-config ${path} does not hold settings`);
}

function clientListeners(listeners: unknown): SynapseFile['listeners'] {
  const all = Array.isArray(listeners) ? listeners.filter(isJsonObject) : [];
  return all.filter(servesClients).map((listener) => {
    // On a socket of the file system Synapse believes the header by default.
    const isSocket = typeof listener.path === 'string';
    return {
      name: isSocket ? String(listener.path) : `port ${String(listener.port)}`,
      forwarded: listener.x_forwarded === true || (isSocket && listener.x_forwarded !== false),
    };
  });
}

function servesClients({ resources }: JsonObject): boolean {
  const all = Array.isArray(resources) ? resources.filter(isJsonObject) : [];
  return all.some(({ names }) => names === 'client' || (Array.isArray(names) && names.includes('client')));
}

function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isJsonObject(value) ? value : {};
}

function numberAt(parent: JsonObject, key: string, otherwise: number): number {
  const value = parent[key];
  return typeof value === 'number' ? value : otherwise;
}

function bytesIn(written: unknown): number {
  const [, count, unit = ''] = /^(\d+)([KMG]?)$/i.exec(String(written)) ?? [];
  return count === undefined ? bytesIn(SYNAPSE_UPLOAD) : Number(count) * (UNITS[unit.toUpperCase()] ?? 1);
}
