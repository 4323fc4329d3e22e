import { isJsonObject, type Json, type JsonObject } from '../matrix/wire.ts';
import type { Storage } from '../storage/storage.ts';
import { findClient } from '../storage/tables/oauth_clients.ts';
import { isWrittenAsId } from '../system/random.ts';

/** An app that has registered, as far as we act by what it registered. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly applicationType: 'web' | 'native';
  readonly redirectUris: readonly string[];
  readonly grantTypes: readonly string[];
  /** Its own word. */
  readonly name: string | undefined;
}

/** The apps that have registered (RFC 7591). */
export class Clients {
  constructor(private readonly storage: Pick<Storage, 'read'>) {}

  async find(clientId: string): Promise<RegisteredClient | undefined> {
    if (!isWrittenAsId(clientId)) return undefined;
    const [row] = await this.storage.read(findClient(clientId));
    if (row === undefined) return undefined;
    const metadata: Json = JSON.parse(row.metadata);
    if (!isJsonObject(metadata)) throw new Error('what a client registered is not an object');
    return clientOf(clientId, metadata);
  }
}

function clientOf(clientId: string, metadata: JsonObject): RegisteredClient {
  const { client_name: name } = metadata;
  return {
    clientId,
    applicationType: metadata.application_type === 'native' ? 'native' : 'web',
    redirectUris: textsIn(metadata.redirect_uris),
    grantTypes: textsIn(metadata.grant_types),
    name: typeof name === 'string' && name !== '' ? name : undefined,
  };
}

function textsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
