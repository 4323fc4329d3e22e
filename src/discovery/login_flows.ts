import {
  isJsonObject,
  type Json,
  type JsonObject,
  OWN_PROVIDER,
  PASSWORD_STAGE,
  SSO_STAGE,
  TOKEN_LOGIN,
  UNNAMED_PROVIDER,
} from '../matrix/wire.ts';

/**
 * What tells a client to show single sign-on alone: the specification's name, and those of MSC3824, which
 * Element Web 1.11 and older read.
 */
const PREFERRED = [
  'oauth_aware_preferred',
  'delegated_oidc_compatibility',
  'org.matrix.msc3824.delegated_oidc_compatibility',
];

/** The sign-in page, as clients see it. */
export interface OwnProvider {
  /** What they write on its button. */
  readonly name: string;
  /** Whether clients that know the flag show that button alone. */
  readonly preferred: boolean;
}

/**
 * The login flows of the homeserver with our sign-in page among them: single sign-on first, as some clients take
 * the first flow that they know, with our provider before the homeserver's.
 */
export function withOwnProvider(flows: readonly Json[], { name, preferred }: OwnProvider): JsonObject[] {
  const given = flows.filter(isJsonObject);
  // Without passwords no one could sign in on the page.
  const own = given.some(({ type }) => type === PASSWORD_STAGE) ? [{ id: OWN_PROVIDER, name }] : [];
  const providers = given.filter(({ type }) => type === SSO_STAGE).flatMap(providersOf);
  if (own.length + providers.length === 0) return given;
  const singleSignOn: JsonObject = {
    type: SSO_STAGE,
    identity_providers: [...own, ...providers],
    ...(preferred && Object.fromEntries(PREFERRED.map((flag) => [flag, true]))),
  };
  const token = given.find(({ type }) => type === TOKEN_LOGIN) ?? { type: TOKEN_LOGIN };
  const others = given.filter(({ type }) => type !== SSO_STAGE && type !== TOKEN_LOGIN);
  return [singleSignOn, token, ...others];
}

function providersOf(flow: JsonObject): JsonObject[] {
  const listed = Array.isArray(flow.identity_providers) ? flow.identity_providers.filter(isJsonObject) : [];
  if (listed.length === 0) return [{ id: UNNAMED_PROVIDER, name: 'Single sign-on' }];
  return listed.filter(({ id }) => id !== OWN_PROVIDER);
}
