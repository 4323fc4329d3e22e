import type { FactorSetUp } from '../factors/description.ts';
import type { Factor } from '../factors/factor.ts';
import type { Factors } from '../factors/factors.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';

/** The factor that `/account/two-factor/{kind}` names. @throws Refusal unrecognized if users cannot set it up */
export function requireFactorOfPath(
  factors: Factors,
  { params }: ClientRequest,
): { factor: Factor; setUp: FactorSetUp } {
  const factor = factors.ofKind(params.kind ?? '');
  if (factor?.setUp === undefined) throw new Refusal('unrecognized');
  return { factor, setUp: factor.setUp };
}
