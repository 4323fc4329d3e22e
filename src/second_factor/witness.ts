import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import type { Witness } from '../policy/policies.ts';

/** Whose token it is, and what is known of them without a question. */
export interface TokenSeen {
  readonly token: string;
  readonly userId: string;
  readonly client: ClientAddress;
  /** Undefined: the homeserver is asked. */
  readonly isGuest?: boolean | undefined;
  /** They have just signed in with a password, so that they have one. */
  readonly hasPassword: boolean;
  readonly isSignIn: boolean;
}

/**
 * The homeserver as a witness about the owner of a token. It is asked only where the policy needs to know: whether they
 * are an administrator, and whether they can set up a second factor at all.
 */
export function witnessBy(homeserver: Homeserver, seen: TokenSeen): Witness {
  const { token, userId, client } = seen;
  return {
    isSignIn: seen.isSignIn,
    isAdministrator: () => homeserver.isAdministrator(token, userId, { client }),
    exemption: async () => {
      if (seen.hasPassword) return null;
      const isGuest = seen.isGuest ?? (await homeserver.whoami(token, { client })).isGuest;
      if (isGuest) return 'guest';
      return (await homeserver.takesPassword(token, { client })) ? null : 'no_password';
    },
  };
}
