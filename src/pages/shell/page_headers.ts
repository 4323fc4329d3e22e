/**
 * The headers of every page (attack 65). There is no Cross-Origin-Opener-Policy, because a client waits for its
 * popup, and no `form-action`, because it also judges the redirect back to a client's own scheme.
 *
 * @param nonce marks the style sheet and the scripts of this one answer. Not `'self'`: the homeserver's media
 *   stand on the same origin, and anyone may upload a script there
 */
export function pageHeaders(nonce: string): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': [
      'camera=()',
      'geolocation=()',
      'microphone=()',
      'publickey-credentials-create=(self)',
      'publickey-credentials-get=(self)',
    ].join(', '),
    'X-Robots-Tag': 'noindex',
  };
}
