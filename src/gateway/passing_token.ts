import type { IncomingMessage } from 'node:http';
import { presentedToken } from '../http/access_token.ts';
import type { PresentedToken } from '../http/client_request.ts';
import { headerValues } from '../http/headers.ts';
import { LONGEST_QUERY, readQuery } from '../http/query.ts';

/** How servers authenticate to each other: no user's token. */
const OF_SERVERS = /^x-matrix /i;

/** The access token of a request that is passed on, if there is exactly one that is well-formed. */
export function tokenOf(request: IncomingMessage): string | undefined {
  const { url = '', rawHeaders } = request;
  const query = queryOf(url);
  const isRead = query.length < LONGEST_QUERY;
  const presented = presentedToken(rawHeaders, isRead ? readQuery(query).tokens : []);
  return presented.kind === 'token' ? presented.token : undefined;
}

/** What a homeserver could take for a token in such a request, in queries of any length too. */
export function shownToken({ url = '', rawHeaders }: IncomingMessage): PresentedToken {
  const tokens = new URLSearchParams(queryOf(url)).getAll('access_token');
  const [only, ...more] = headerValues(rawHeaders, 'authorization');
  const isOfServer = only !== undefined && more.length + tokens.length === 0 && OF_SERVERS.test(only);
  return isOfServer ? { kind: 'none' } : presentedToken(rawHeaders, tokens);
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}
