import type { Audit } from '../audit/audit.ts';
import type { AccountRecoveryConfig } from '../config/config.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { RecoveryVoteRequest } from '../matrix/shapes.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { type Caller, requireCaller } from '../second_factor/caller.ts';
import type { OwnAction, ProvenRequest, Requirement } from '../second_factor/own_action.ts';
import type { Standings } from '../second_factor/standing.ts';
import { type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  castVote,
  type FoundVote,
  findVoteOfLink,
  type RecoveryAnswer,
  shortenByVotes,
} from '../storage/tables/recovery_votes.ts';
import { hashToken } from '../system/token_hash.ts';
import type { RecoveryEndings } from './endings.ts';

export interface RecoveryVotesDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly homeserver: Homeserver;
  readonly standings: Pick<Standings, 'ofFactor'>;
  readonly audit: Audit;
  readonly endings: Pick<RecoveryEndings, 'cancelling'>;
}

/** What those say whom an owner has named: enough of them shorten the wait of a recovery, one ends it. */
export class RecoveryVotes {
  constructor(
    private readonly deps: RecoveryVotesDeps,
    private readonly settings: Pick<AccountRecoveryConfig, 'enabled' | 'votes'>,
  ) {}

  /** `POST …/recovery_vote`: what the caller is asked by this link. @throws Refusal unrecognized, unknown_vote */
  async describe(request: ClientRequest): Promise<Answer> {
    this.requireOn();
    const { link } = requireShape('recovery_vote_question', request.body ?? {});
    const { userId: voter } = (await requireCaller(this.deps.homeserver, request)).owner;
    return { status: 200, body: shown(await this.require(link, voter)) };
  }

  /** `PUT …/recovery_vote`: the answer, with password and factor, once. */
  readonly casting: OwnAction = {
    shape: 'recovery_vote_request',
    requireOn: () => this.requireOn(),
    requireSound: (body) => void answerIn(requireShape('recovery_vote_request', body)),
    requirementFor: (caller, body) => this.needs(caller, requireShape('recovery_vote_request', body)),
    carryOut: (proven) => this.cast(proven),
  };

  private async needs({ owner }: Caller, { link }: RecoveryVoteRequest): Promise<Requirement> {
    if ((await this.deps.standings.ofFactor(owner.userId)) === undefined) throw new Refusal('not_enrolled');
    // Where `auth` goes on with a session, that was opened for a link that was found.
    if (link !== undefined) await this.require(link, owner.userId);
    return 'two_factor';
  }

  /** @throws Refusal unknown_vote, vote_over */
  private async cast({ request, caller, body, keptStepUp }: ProvenRequest): Promise<Answer> {
    const { link, vote, how } = answerIn(requireShape('recovery_vote_request', body));
    const voter = caller.owner.userId;
    const found = await this.require(link, voter);
    const { requestId, userId } = found;
    const recorded = this.deps.audit.recorded({
      ...{ userId, event: 'recovery_request.voted', client: request.client },
      detail: { request: requestId, voter, vote, ...(how === undefined ? {} : { how }) },
    });
    const follows = this.following(found, vote, { client: request.client, ...(how && { reason: how }) });
    const won = [recorded, follows, keptStepUp];
    const casting = when(castVote(found, vote, how ?? null), { won, lost: [] });
    if (!(await this.deps.storage.commit([userId, voter], casting)).won) throw new Refusal('vote_over');
    return { status: 200, body: shown(await this.require(link, voter)) };
  }

  /** A no ends it; a yes shortens the wait once there are enough, never to nothing. */
  private following(
    { requestId: id, userId, voter }: FoundVote,
    vote: RecoveryAnswer,
    from: { readonly client: ClientRequest['client']; readonly reason?: string },
  ): Write {
    if (vote === 'no')
      return this.deps.endings.cancelling({ id, userId }, { by: 'voter', who: voter, ...from });
    const { quorum, waitMs } = this.settings.votes;
    return shortenByVotes(id, quorum, waitMs);
  }

  /** A foreign link is answered like one that never was. @throws Refusal unknown_vote */
  private async require(link: string, voter: string): Promise<FoundVote> {
    const [found] = await this.deps.storage.read(findVoteOfLink(hashToken(link), voter));
    if (found === undefined) throw new Refusal('unknown_vote');
    return found;
  }

  /** @throws Refusal unrecognized where there are no votes */
  private requireOn(): void {
    if (!this.settings.enabled || !this.settings.votes.enabled) throw new Refusal('unrecognized');
  }
}

/** @throws Refusal missing_param: a yes says how the voter made sure */
function answerIn({ link, vote, how }: RecoveryVoteRequest) {
  if (link === undefined || vote === undefined) throw new Refusal('missing_param');
  const said = how?.trim();
  if (vote === 'yes' && !said) throw new Refusal('missing_param', { text: 'Say how you made sure.' });
  return { link, vote, how: said === '' ? undefined : said };
}

function shown({ userId, begunAt, state, vote, votedAt }: FoundVote): JsonObject {
  const isOpen = state === 'waiting' || state === 'open';
  return { user_id: userId, begun_ts: begunAt, open: isOpen, vote, voted_ts: votedAt };
}
