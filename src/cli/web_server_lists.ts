import {
  federationPattern,
  ODD_PARTS,
  oddFederationPattern,
  oddPattern,
  PROXY_PATHS,
  PROXY_ROOTS,
  proxyPattern,
  STRAIGHT_ROOTS,
  straightPattern,
} from '../http/web_server_paths.ts';

/** What leads clients to the proxy: everything, or all but a short list that goes straight to the homeserver. */
export type Topology = 'full' | 'selective';

/** The lists of a topology in the words of a web server: lines for its configuration. */
type Writer = (topology: Topology) => string[];

/** The lines for each web server. The files in `deploy/` hold them. */
export const LISTS = {
  nginx: (topology) => [
    'map $request_uri $m2fa_backend {',
    '    default "";',
    ...(topology === 'full'
      ? []
      : [`    "~${oddPattern()}" two_factor;`, `    "~${straightPattern()}" homeserver;`]),
    `    "~${proxyPattern()}" two_factor;`,
    '}',
  ],
  haproxy: (topology) => [
    `    acl to_proxy path_beg ${PROXY_ROOTS.join(' ')}`,
    `    acl to_proxy path ${PROXY_PATHS.join(' ')}`,
    ...(topology === 'full'
      ? []
      : [
          `    acl odd path_sub -i ${ODD_PARTS.map((part) => `'${part}'`).join(' ')}`,
          `    acl straight path_reg '${straightPattern()}'`,
        ]),
  ],
  // Not vars_regexp: some versions of Caddy take text in braces out of the target before they look at it.
  caddy: (topology) => [
    `    @two_factor expression \`${matches(proxyPattern())}\``,
    ...(topology === 'full'
      ? []
      : [`    @straight expression \`${matches(straightPattern())} && !${matches(oddPattern())}\``]),
  ],
  traefik: (topology) => [
    ...(topology === 'full'
      ? []
      : [
          '    straight:',
          `      rule: Host(\`matrix.example.org\`) && PathRegexp(\`${straightPattern()}\`) && !PathRegexp(\`${oddPattern()}\`)`,
        ]),
    '    two-factor:',
    `      rule: Host(\`matrix.example.org\`) && PathRegexp(\`${proxyPattern()}\`)`,
    '    federation:',
    `      rule: PathRegexp(\`${federationPattern()}\`) && !PathRegexp(\`${oddFederationPattern()}\`)`,
  ],
} as const satisfies Readonly<Record<string, Writer>>;

export type WebServer = keyof typeof LISTS;

/** In the expression language of Caddy; `r'…'` keeps backslashes. */
function matches(pattern: string): string {
  return `{http.request.orig_uri}.matches(r'${pattern}')`;
}

/** The lists for programs. */
export function listsAsJson(): object {
  return {
    full: { to_proxy: { roots: PROXY_ROOTS, paths: PROXY_PATHS } },
    selective: {
      straight: { roots: STRAIGHT_ROOTS, pattern: straightPattern() },
      never_straight: ODD_PARTS,
      to_proxy: { roots: PROXY_ROOTS, paths: PROXY_PATHS },
    },
  };
}
