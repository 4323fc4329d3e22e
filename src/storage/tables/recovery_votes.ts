import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

export type RecoveryAnswer = 'yes' | 'no';

/** A user who is asked whether a recovery is its owner's. */
export interface AskedVoter {
  readonly id: string;
  readonly requestId: string;
  /** Whose account is to be recovered. */
  readonly userId: string;
  readonly voter: string;
  /** SHA-256 of the token in the voter's link, in hex. */
  readonly linkHash: string;
  /** The token, sealed with the identity `recovery-vote:<id>:<userId>`. */
  readonly sealedLink: Buffer;
}

/** A vote with what stands in its request. */
export interface FoundVote extends AskedVoter {
  readonly vote: RecoveryAnswer | null;
  readonly votedAt: number | null;
  readonly state: string;
  readonly begunAt: number;
}

const FOUND = `SELECT recovery_votes.id, request_id AS "requestId", recovery_votes.user_id AS "userId", voter,
    link_hash AS "linkHash", sealed_link AS "sealedLink", vote, voted_at AS "votedAt", state, begun_at AS "begunAt"
  FROM recovery_votes JOIN recovery_requests ON recovery_requests.id = recovery_votes.request_id`;

/** In the unit that begins the request: the list is frozen with it. */
export function askVoter(asked: AskedVoter): Effect {
  return effect(
    `INSERT INTO recovery_votes (id, request_id, user_id, voter, link_hash, sealed_link)
     VALUES (:id, :requestId, :userId, :voter, :linkHash, :sealedLink)`,
    { ...asked },
  );
}

export function findVote(id: string): Query<FoundVote> {
  return ask(`${FOUND} WHERE recovery_votes.id = :id`, { id });
}

/** Only the voter whose link it is finds it. */
export function findVoteOfLink(linkHash: string, voter: string): Query<FoundVote> {
  return ask(`${FOUND} WHERE link_hash = :linkHash AND voter = :voter`, { linkHash, voter });
}

export function listVotes(requestId: string): Query<FoundVote> {
  return ask(`${FOUND} WHERE request_id = :requestId ORDER BY voter`, { requestId });
}

/** Lost if it is not the first vote, of another voter, without 2FA, or if the request does not wait any more. */
export function castVote(
  { id, voter }: Pick<AskedVoter, 'id' | 'voter'>,
  vote: RecoveryAnswer,
  how: string | null,
): Decision<object> {
  return decide(
    `UPDATE recovery_votes SET vote = :vote, how = CAST(:how AS TEXT), voted_at = :now
     WHERE id = :id AND voter = :voter AND vote IS NULL
       AND EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :voter)
       AND EXISTS (SELECT 1 FROM recovery_requests
         WHERE recovery_requests.id = request_id AND state IN ('waiting', 'open'))`,
    { id, voter, vote, how },
  );
}

/** So many votes for it shorten the wait, to no less than `waitMs`. Lost with fewer, or where it is as short already. */
export function shortenByVotes(requestId: string, quorum: number, waitMs: number): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET wait_ms = :waitMs
     WHERE id = :requestId AND state = 'waiting' AND wait_ms > :waitMs
       AND (SELECT count(*) FROM recovery_votes WHERE request_id = :requestId AND vote = 'yes') >= :quorum`,
    { requestId, quorum, waitMs },
  );
}
