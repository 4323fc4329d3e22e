import type { Personality, Refused } from './personality.ts';
import type { StubState, StubUser } from './state.ts';

/** Whom a name given by a client means: a user, nobody, or nothing that this homeserver can read. */
export type Named = { readonly user: StubUser | undefined } | { readonly refused: Refused };

/** Resolves a local part or full id; local parts are folded everywhere. */
export function resolveName(name: string, state: StubState, { login }: Personality): Named {
  if (!name.startsWith('@')) return { user: state.userByLocalpart(name.toLowerCase()) };
  const colon = name.indexOf(':');
  if (colon === -1) return { refused: login.noServer };
  const server = name.slice(colon + 1);
  if (server !== state.serverName) {
    if (server.toLowerCase() !== state.serverName.toLowerCase()) return { refused: login.otherServer };
    if (login.serverInOtherCase !== 'accepted') return { refused: login.serverInOtherCase };
  }
  return { user: state.userByLocalpart(name.slice(1, colon).toLowerCase()) };
}
