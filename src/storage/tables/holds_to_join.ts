import { ask, listOf, madeOnce, type Query } from '../statement.ts';
import { type HeldLogin, HOLD } from './holds.ts';

/**
 * The live holds made with one of these keys, or by the user of one of the folded ones; the newest first. Not one that a
 * client is finishing: it would be joined in vain while its claim lasts.
 */
export function findHoldsToJoin(exact: readonly string[], folded: readonly string[]): Query<HeldLogin> {
  const [ofExact, ofFolded] = [listOf('exact', exact), listOf('folded', folded)];
  return ask(joinableText(ofExact.names, ofFolded.names), { ...ofExact.values, ...ofFolded.values });
}

const joinableText = madeOnce(
  (exact: string, folded: string) =>
    `SELECT ${HOLD} FROM holds
     WHERE expires_at > :now AND claimed_until <= :now AND (join_key IN (${exact}) OR folded_join_key IN (${folded})
       OR owner_join_key IN (${folded}))
     ORDER BY created_at DESC, id`,
);

/** The live holds of a user that no one is finishing, the newest first. */
export function findHoldsOfUser(userId: string): Query<HeldLogin> {
  return ask(
    `SELECT ${HOLD} FROM holds WHERE user_id = :userId AND expires_at > :now AND claimed_until <= :now
     ORDER BY created_at DESC, id`,
    { userId },
  );
}
