import type { Factors } from '../factors/factors.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { SettableFactor } from './set_ups.ts';

/** The factor that `/account/two-factor/{kind}` names. @throws Refusal unrecognized if users cannot set it up */
export function requireFactorOfPath(factors: Factors, { params }: ClientRequest): SettableFactor {
  const factor = factors.ofKind(params.kind ?? '');
  if (factor?.setUp === undefined) throw new Refusal('unrecognized');
  return { factor, setUp: factor.setUp };
}
