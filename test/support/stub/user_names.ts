import type { Personality, Refused } from './personality.ts';
import type { StubState, StubUser } from './state.ts';

/** Whom a name given by a client means: a user, no one, or nothing that this homeserver can read. */
export type Named = { readonly user: StubUser | undefined } | { readonly refused: Refused };

/** Resolves a local part or full id. */
export function resolveName(name: string, state: StubState, { login }: Personality): Named {
  const found = (localpart: string) =>
    state.userByLocalpart(login.foldsNames ? localpart.toLowerCase() : localpart);
  if (!name.startsWith('@')) return { user: found(name) };
  const colon = name.indexOf(':');
  if (colon === -1) return { refused: login.noServer };
  const server = name.slice(colon + 1);
  if (server !== state.serverName) {
    if (server.toLowerCase() !== state.serverName.toLowerCase()) return { refused: login.otherServer };
    if (login.serverInOtherCase !== 'accepted') return { refused: login.serverInOtherCase };
  }
  return { user: found(name.slice(1, colon)) };
}
