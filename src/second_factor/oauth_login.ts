import type { JsonObject } from '../matrix/wire.ts';
import type { Vault } from '../vault/vault.ts';

/** What the login of an approved OAuth grant needs. It is sealed with the grant, so no held login has to live on for it. */
export interface OAuthLogin {
  /** The password that was judged on the page. */
  readonly password?: string | undefined;
  /** A login token of the homeserver's single sign-on, got after consent. */
  readonly loginToken?: string | undefined;
  /** What the app calls itself: the name of its device. */
  readonly appName?: string | undefined;
  /** Whether a second factor was given for it. */
  readonly hasFactor: boolean;
}

/** The names by which it is sealed. */
export interface OAuthGrantName {
  readonly idHash: string;
  readonly userId: string;
}

export function sealOAuthLogin(vault: Vault, name: OAuthGrantName, login: OAuthLogin): Buffer {
  return vault.seal(JSON.stringify(login), identityOf(name));
}

export function openOAuthLogin(vault: Vault, name: OAuthGrantName, sealed: Buffer): OAuthLogin {
  const login = JSON.parse(vault.open(sealed, identityOf(name)).toString()) as JsonObject;
  return {
    password: textIn(login, 'password'),
    loginToken: textIn(login, 'loginToken'),
    appName: textIn(login, 'appName'),
    hasFactor: login.hasFactor === true,
  };
}

function textIn(login: JsonObject, name: string): string | undefined {
  const value = login[name];
  return typeof value === 'string' ? value : undefined;
}

function identityOf({ idHash, userId }: OAuthGrantName): string {
  return `oauth-grant:${idHash}:${userId}`;
}
