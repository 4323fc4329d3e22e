import { findRoute } from '../http/route_index.ts';
import { validator } from '../matrix/registry.ts';
import type { Session } from '../uia/session.ts';

/** Whether what a session was opened for can be carried out: no page asks for an approval of anything else (attack 149). */
export function isSoundSession({ binding, body, bodyDigest }: Session): boolean {
  // Too large to be kept: it was looked at when it was bound.
  if (body === undefined && bodyDigest !== null) return true;
  const guard = findRoute(binding.target)?.guard;
  return guard === undefined || validator(guard.shape)(body ?? {});
}
