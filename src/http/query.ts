import { Refusal } from '../matrix/refusals.ts';

/** Few of our routes need more; odd escapes make longer ones slow to read (attack 119). */
export const LONGEST_QUERY = 4096;

/** The query of a request on a gated or own route, read once and rebuilt for the homeserver. */
export interface ReadQuery {
  /** The first value of each parameter, without `access_token` and `user_id`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Every `access_token`. */
  readonly tokens: readonly string[];
  /** The first `user_id`: whom an application service acts for. It means nothing with any other token. */
  readonly assertedUser: string | undefined;
  /** What goes upstream: rebuilt from `parameters`, empty or beginning with `?`. */
  readonly search: string;
}

/**
 * Reads a raw query string. By `user_id` an application service acts for another user; it is kept apart, as only that
 * of a listed service goes on (attack 22). A token does not go on either: the homeserver gets it in the header.
 *
 * @param rawQuery what follows the `?`, without it
 * @throws Refusal bad_target if it is longer than `longest`
 */
export function readQuery(rawQuery: string, longest = LONGEST_QUERY): ReadQuery {
  if (rawQuery.length > longest) throw new Refusal('bad_target');
  const tokens: string[] = [];
  const parameters = new Map<string, string>();
  let assertedUser: string | undefined;
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    if (name === 'access_token') tokens.push(value);
    else if (name === 'user_id') assertedUser ??= value;
    else if (!parameters.has(name)) parameters.set(name, value);
  }
  return { parameters, tokens, assertedUser, search: rebuild(parameters) };
}

/** Percent-encodes everything special: one homeserver framework parts parameters at a bare `;` too. */
function rebuild(parameters: ReadonlyMap<string, string>): string {
  if (parameters.size === 0) return '';
  const pairs = [...parameters].map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return `?${pairs.join('&')}`;
}
