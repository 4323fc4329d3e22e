import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../matrix/wire.ts';
import { oneLine } from '../system/one_line.ts';
import { OauthError } from './oauth_answer.ts';
import { type ApplicationType, isOnHost, LONGEST_URI, mayRegister, webHost } from './redirect_uris.ts';

/** RFC 8628, section 3.4. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

const MOST_REDIRECTS = 10;
/** People are shown it. */
const LONGEST_NAME = 255;
/** Addresses of pages about the app. Nothing is ever fetched from them. */
const PAGES = ['logo_uri', 'tos_uri', 'policy_uri'] as const;
/** The name in a language: `client_name#de`. */
const LOCALISED_NAME = /^client_name#[A-Za-z0-9-]{1,35}$/;

/**
 * What is registered of what an app says about itself (client-server API v1.19, "Client registration"; RFC 7591): its
 * keys in order, so that equal metadata is equal text.
 * @param grants those that are offered here
 * @throws OauthError invalid_redirect_uri, invalid_client_metadata
 */
export function registeredMetadata(sent: JsonObject, grants: readonly string[]): JsonObject {
  const host = requireHost(sent.client_uri);
  const type = requireType(sent.application_type);
  if (given(sent.token_endpoint_auth_method) && sent.token_endpoint_auth_method !== 'none') {
    throw invalid('token_endpoint_auth_method must be none: clients are public here.');
  }
  const asked = listOf(sent.grant_types, 'grant_types') ?? ['authorization_code', 'refresh_token'];
  const granted = grants.filter((grant) => asked.includes(grant));
  const usesCode = granted.includes('authorization_code');
  const responses = listOf(sent.response_types, 'response_types') ?? ['code'];
  const redirects = requireRedirects(sent.redirect_uris, usesCode, (uri) => mayRegister(uri, type, host));
  const registered: JsonObject = {
    application_type: type,
    client_uri: sent.client_uri ?? null,
    grant_types: granted,
    response_types: usesCode && responses.includes('code') ? ['code'] : [],
    token_endpoint_auth_method: 'none',
    ...(redirects !== undefined && { redirect_uris: redirects }),
    ...namesIn(sent),
    ...pagesIn(sent, host),
  };
  return Object.fromEntries(Object.entries(registered).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The id of an app: equal for equal metadata, however often it registers. */
export function clientIdOf(metadata: string): string {
  return createHash('sha256').update(metadata).digest('base64url');
}

function given(value: Json | undefined): value is Json {
  return value !== undefined && value !== null;
}

function requireHost(uri: Json | undefined): string {
  const host = typeof uri === 'string' ? webHost(uri) : undefined;
  if (host === undefined) throw invalid('client_uri must be an https address with a dotted host.');
  return host;
}

function requireType(type: Json | undefined): ApplicationType {
  if (!given(type)) return 'web';
  if (type !== 'web' && type !== 'native') throw invalid('application_type must be web or native.');
  return type;
}

function listOf(value: Json | undefined, name: string): string[] | undefined {
  if (!given(value)) return undefined;
  const texts = textsIn(value);
  if (texts === undefined) throw invalid(`${name} must be a list of texts.`);
  return texts;
}

function textsIn(value: Json): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((each) => typeof each === 'string');
  return texts.length === value.length ? texts : undefined;
}

function requireRedirects(
  value: Json | undefined,
  isNeeded: boolean,
  isAllowed: (uri: string) => boolean,
): string[] | undefined {
  if (!given(value)) {
    if (isNeeded) throw invalidRedirect('redirect_uris must have an address to go back to.');
    return undefined;
  }
  const uris = textsIn(value);
  if (uris === undefined || uris.length > MOST_REDIRECTS || (isNeeded && uris.length === 0)) {
    throw invalidRedirect(`redirect_uris must be a list of 1 to ${MOST_REDIRECTS} addresses.`);
  }
  if (!uris.every((uri) => uri.length <= LONGEST_URI && isAllowed(uri))) {
    throw invalidRedirect('A redirect address is not one of this client.');
  }
  return [...new Set(uris)];
}

/** What cannot be shown, or would turn the text around it, is refused. */
function namesIn(sent: JsonObject): JsonObject {
  const names = Object.entries(sent).filter(([key]) => key === 'client_name' || LOCALISED_NAME.test(key));
  return Object.fromEntries(
    names.filter(([, name]) => given(name)).map(([key, name]) => [key, requireName(name ?? null)]),
  );
}

function requireName(name: Json): string {
  if (
    typeof name !== 'string' ||
    name.trim() === '' ||
    name.length > LONGEST_NAME ||
    oneLine(name) !== name
  ) {
    throw invalid(`A name of the client must have 1 to ${LONGEST_NAME} signs that can be shown.`);
  }
  return name.trim();
}

function pagesIn(sent: JsonObject, host: string): JsonObject {
  const pages = PAGES.flatMap((name): [string, string][] => {
    const uri = sent[name];
    return typeof uri === 'string' && isOnHost(uri, host) ? [[name, uri]] : [];
  });
  return Object.fromEntries(pages);
}

function invalid(text: string): OauthError {
  return new OauthError('invalid_client_metadata', text);
}

function invalidRedirect(text: string): OauthError {
  return new OauthError('invalid_redirect_uri', text);
}
