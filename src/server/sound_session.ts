import { classify } from '../gateway/classify.ts';
import { isSoundBody } from '../guard/sound_body.ts';
import type { Session } from '../uia/session.ts';

/** Whether what a session was opened for can be carried out: no page asks for an approval of anything else (attack 149). */
export function isSoundSession({ binding, body, bodyDigest }: Session): boolean {
  // Too large to be kept: it was looked at when it was bound.
  if (body === undefined && bodyDigest !== null) return true;
  const [method = '', target = ''] = binding.target.split(' ');
  const found = classify(method, target);
  return found.kind !== 'route' || isSoundBody(found.route.id, body ?? {});
}
