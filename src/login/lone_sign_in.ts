import type { Audit } from '../audit/audit.ts';
import type { LoneVerdict } from '../factors/factor.ts';
import type { SignInFactor } from '../factors/factors.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { AddressLimit } from '../limits/attempt_limit.ts';
import type { Lanes } from '../limits/lanes.ts';
import { accepted } from '../limits/throttle.ts';
import type { Json } from '../matrix/wire.ts';
import type { AloneAccepted } from '../second_factor/passes.ts';
import type { Standings } from '../second_factor/standing.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { keepAnswered } from '../storage/tables/factor_tokens.ts';
import { hashToken } from '../system/token_hash.ts';

/** The answer to a question of the sign-in page. */
export interface LoneAnswer {
  /** Made by the page for this form. */
  readonly question: Buffer;
  readonly proof: Json;
  /** The mark by which the browser is known again, or will be if the proof is right. */
  readonly browser: string;
}

export interface LoneSignInDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly standings: Pick<Standings, 'ofFactor'>;
  readonly lanes: Lanes;
  readonly addressLimit: AddressLimit;
  readonly audit: Audit;
}

type Match = Extract<LoneVerdict, { readonly is: 'match' }>;

/**
 * A sign-in by a factor alone (docs/passkeys.md): the proof names the user. Nothing is asked of the homeserver and nothing is
 * held there: the login is made when the client comes with its login token.
 */
export class LoneSignIn {
  constructor(
    private readonly deps: LoneSignInDeps,
    private readonly factor: SignInFactor,
  ) {}

  /**
   * Undefined whatever was wrong: no one learns which users and credentials there are.
   * @throws Refusal limit_exceeded
   */
  take({ client }: ClientRequest, answer: LoneAnswer): Promise<AloneAccepted | undefined> {
    return this.deps.addressLimit.attempt(
      client,
      () => this.judge(client, answer),
      (taken) => taken !== undefined,
    );
  }

  private async judge(
    client: ClientRequest['client'],
    { question, proof, browser }: LoneAnswer,
  ): Promise<AloneAccepted | undefined> {
    const { alone, kind } = this.factor;
    const hash = hashToken(question);
    const first = await this.deps.storage.commit([], keepAnswered(hash, alone.questionMs));
    const verdict = first && (await alone.verify(question, proof));
    if (verdict?.is !== 'match') {
      client.record?.checked(kind, 'wrong');
      return undefined;
    }
    client.record?.isOf(verdict.userId, null);
    const { userId, authenticatorId } = verdict;
    // Read before the proof is spent: what is changed from now on ends what it stands for.
    const owing = await this.deps.standings.ofFactor(userId);
    const isSpent = owing !== undefined && (await this.spend(client, verdict, browser));
    client.record?.checked(kind, isSpent ? 'accepted' : 'spent');
    return isSpent ? { userId, authenticatorId, kind, version: owing.version } : undefined;
  }

  /** One unit: the proof is spent and on record, and where it came from is known. */
  private async spend(client: ClientRequest['client'], verdict: Match, browser: string): Promise<boolean> {
    const { audit, lanes, storage } = this.deps;
    const { userId, spend, also = [], suspicion, detail } = verdict;
    const { kind } = this.factor;
    const way = await lanes.of({ userId, place: 'login', client, browser });
    const entry = { userId, client, detail };
    const suspected =
      suspicion === undefined
        ? []
        : when(suspicion.note, {
            won: audit.recorded({ ...entry, event: `${kind}.${suspicion.deed}` }),
            lost: [],
          });
    const unit = when(spend, {
      won: [
        accepted({ userId, ...way, counts: false }),
        also,
        audit.recorded({ ...entry, event: `${kind}.used` }),
      ],
      lost: [
        audit.recorded({ ...entry, event: 'factor.refused', detail: { ...detail, factor: kind } }),
        suspected,
      ],
    });
    return (await storage.commit([userId], unit)).won;
  }
}
