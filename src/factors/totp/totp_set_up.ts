import { Refusal } from '../../matrix/refusals.ts';
import { requireShape } from '../../matrix/registry.ts';
import type { Json, JsonObject } from '../../matrix/wire.ts';
import type { Clock } from '../../system/clock.ts';
import type { RandomSource } from '../../system/random.ts';
import type { ConfirmedAuthenticator, FactorSetUp, SecretPage, ShownSecret } from '../description.ts';
import { readGivenCode } from '../given_code.ts';
import { matchStep } from './match_step.ts';
import { newSeed, otpauthUri, seedText } from './totp_seed.ts';
import type { TotpSettings } from './totp_settings.ts';
import { TOTP_DEEDS } from './totp_words.ts';

/** A new seed, and the first code of the app that has it; the step of that code is spent (attack 76). */
export class TotpSetUp implements FactorSetUp {
  readonly usualName = 'Authenticator app';
  readonly deeds = TOTP_DEEDS;
  readonly page: SecretPage = { is: 'secret', shown: (userId, seed) => this.shown(userId, seed) };

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: RandomSource },
    private readonly settings: TotpSettings,
  ) {}

  async begin(userId: string): Promise<{ secret: Buffer; answer: JsonObject }> {
    const { settings } = this;
    const seed = newSeed(this.deps.random);
    const { key, link } = this.shown(userId, seed);
    const answer = {
      seed: key,
      uri: link,
      params: {
        type: `m.totp.v1.rfc6238-${settings.algorithm}`,
        step: settings.period,
        size: settings.digits,
      },
    };
    return { secret: seed, answer };
  }

  private shown(userId: string, seed: Buffer): ShownSecret {
    const { digits } = this.settings;
    return { key: seedText(seed), link: otpauthUri(userId, seed, this.settings), digits };
  }

  read(body: JsonObject | undefined): { setupId: string; proof: Json } {
    const { setup_id: setupId, token } = requireShape('totp_confirm_request', body);
    const code = readGivenCode(token);
    if (code === undefined) throw new Refusal('missing_param', { text: '`token` is missing.' });
    return { setupId, proof: code };
  }

  async confirm(_userId: string, seed: Buffer, code: Json): Promise<ConfirmedAuthenticator | undefined> {
    if (typeof code !== 'string') return undefined;
    const step = matchStep(seed, code, this.deps.clock.now(), this.settings);
    return step === undefined ? undefined : { secret: seed, lastStep: step };
  }
}
