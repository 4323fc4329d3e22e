import { isJsonObject, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';

/** Where homeservers say that they have an OAuth login of their own. */
export const OAUTH_METADATA = [
  '/_matrix/client/v1/auth_metadata',
  '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata',
] as const;

/** The line of a homeserver's configuration that ends its own OAuth (docs/install.md). */
export interface EndOfOAuth {
  readonly server: string;
  readonly line: string;
}

/** How the OAuth of a server is ended, by the name that the server gives itself. */
const ENDS_OF_OAUTH: readonly (readonly [RegExp, EndOfOAuth])[] = [
  [
    /continuwuity|conduwuit/i,
    { server: 'continuwuity', line: '[global.oauth] compatibility_mode = "disabled"' },
  ],
  [/tuwunel/i, { server: 'tuwunel', line: 'oidc_native_auth = false, and no identity_provider' }],
  [/synapse/i, { server: 'Synapse', line: 'matrix_authentication_service: { enabled: false }' }],
];

/** Undefined for a server whose configuration is not known here. */
export function endOfOAuth(name: string): EndOfOAuth | undefined {
  return ENDS_OF_OAUTH.find(([server]) => server.test(name))?.[1];
}

/** How a homeserver is told of the registration of an application service. */
const INSTALLATIONS: readonly { readonly name: RegExp; readonly way: (file: string) => string }[] = [
  {
    name: /synapse/i,
    way: (file) => `Synapse: app_service_config_files: [${file}] in homeserver.yaml, then restart it`,
  },
  {
    name: /dendrite/i,
    way: (file) => `Dendrite: app_service_api: { config_files: [${file}] }, then restart it`,
  },
  {
    name: /tuwunel|continuwuity|conduwuit/i,
    way: (file) =>
      `tuwunel, continuwuity: in the admin room !admin appservices register, and below it ${file} as a code block`,
  },
];

/**
 * How to tell the homeserver of our registration: a line for each kind of homeserver that it may be.
 * @param name what it calls itself
 */
export function howToInstall(file: string, name: string | undefined): string[] {
  const fitting = INSTALLATIONS.filter((each) => name !== undefined && each.name.test(name));
  return (fitting.length > 0 ? fitting : INSTALLATIONS).map(({ way }) => way(file));
}

/**
 * Whether a homeserver takes passwords.
 * @param login its answer to `GET /login`
 *   (https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3login)
 */
export function offersPassword(login: JsonObject | undefined): boolean {
  const flows = login?.flows;
  return Array.isArray(flows) && flows.some((flow) => isJsonObject(flow) && flow.type === PASSWORD_STAGE);
}
