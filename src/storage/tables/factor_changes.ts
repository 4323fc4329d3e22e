import { type CommitAnswer, type Decision, decide, type Write, when } from '../statement.ts';
import { nameAccount } from './accounts.ts';
import {
  addAuthenticator,
  findAnyOf,
  markFirstEnrolment,
  removeAuthenticator,
  removeAuthenticators,
  removeEveryAuthenticator,
  removeKindKeepingLast,
  removeReplaced,
} from './authenticators.ts';
import { dropEmergencyCodeWithoutFactor } from './emergency_codes.ts';
import { forgetPlaces, forgetPlacesWithoutFactor } from './known_places.ts';
import { clearLanes, clearLanesWithoutFactor } from './lanes.ts';
import { endPageSessionsOf } from './page_sessions.ts';
import { endGraceWithoutFactor } from './policies.ts';
import { endOtherProofs, endProofs, endProofsAfterRemoval } from './proofs.ts';
import {
  deleteRecoverySet,
  deleteRecoverySetWithoutFactor,
  type NewRecoverySet,
  putRecoveryCodes,
  putRecoverySet,
} from './recovery_sets.ts';
import { completeEnrolment, type SetUpOfSession } from './session_enrolment.ts';
import type { SessionState } from './sessions.ts';
import { confirmSetup, type SetupToConfirm } from './setups.ts';

/*
 * Changes of what a user has enrolled: units of work that name the user. Each ends what was proven or begun under
 * the factors before it (R12).
 */

/** What a set-up becomes when its first code was right. */
export interface Confirmation extends SetupToConfirm {
  readonly authenticatorId: string;
  readonly foldedLocalpart: string;
  /** The seed sealed again, under the identity of the authenticator. */
  readonly sealedSeed: Buffer;
  readonly step: number;
  /** The new codes; or the user keeps those that they have, or goes without. */
  readonly recovery: NewRecoverySet | 'kept' | 'none';
  readonly claim?: Claim | undefined;
}

/** A write that a confirmation needs to win: what else is kept with the authenticator, in a table of its factor. */
export interface Claim {
  readonly take: Decision<unknown>;
  /** Where the confirmation is lost after all. */
  readonly giveBack: Write;
}

const NOTHING_CLAIMED: Claim = { take: decide('SELECT 1 AS found'), giveBack: [] };

/** The sign-in in which a user sets a factor up. */
export interface EnrollingSignIn extends Omit<SetUpOfSession, 'setupId'> {
  readonly session: SessionState;
  readonly holdId: string | null;
}

/** What is written with a removal: it depends on whether the user has 2FA on after it. */
export interface AfterRemoval {
  readonly someLeft: Write;
  readonly noneLeft: Write;
}

/**
 * Turns a set-up into an authenticator, in the place of those that it replaces, and writes `also`. Lost if the set-up
 * is gone, or is not what it is confirmed as.
 */
export function activating(confirmation: Confirmation, also: Write) {
  const { userId, claim = NOTHING_CLAIMED } = confirmation;
  const confirming = when(confirmSetup(confirmation), {
    won: [added(confirmation), endProofs(userId), also],
    lost: claim.giveBack,
  });
  return when(claim.take, { won: confirming, lost: [] });
}

/**
 * The same during a sign-in: the session has its stage, and stays with its held login. One conditional write decides all
 * of it: lost if the factors are others by now (any, where it was to be the first), or session or set-up are gone.
 */
export function enrolling<const Also extends Write>(
  confirmation: Confirmation,
  { session, holdId, ...done }: EnrollingSignIn,
  also: Also,
) {
  const { setupId, userId, claim = NOTHING_CLAIMED } = confirmation;
  const { idHash } = session;
  const completing = when(completeEnrolment(session, { ...done, setupId }), {
    won: [added(confirmation), endOtherProofs(userId, { idHash, holdId }), also],
    lost: claim.giveBack,
  });
  return when(claim.take, { won: completing, lost: [] });
}

/** Whether a unit of `activating` or `enrolling` did it. */
export function isConfirmed(answer: CommitAnswer<ReturnType<typeof activating | typeof enrolling>>): boolean {
  return answer.won && answer.after.won;
}

function added(confirmation: Confirmation): readonly Write[] {
  const { setupId, userId, authenticatorId, foldedLocalpart, sealedSeed, step } = confirmation;
  return [
    nameAccount(userId, foldedLocalpart),
    addAuthenticator(setupId, { id: authenticatorId, sealedSeed, lastStep: step }),
    removeReplaced(userId, confirmation.replaced),
    codesAfter(confirmation),
    markFirstEnrolment(),
  ];
}

function codesAfter({ userId, recovery }: Confirmation): readonly Write[] {
  if (recovery === 'kept') return [];
  if (recovery === 'none') return [deleteRecoverySet(userId)];
  return [putRecoverySet(userId, recovery), putRecoveryCodes(userId, recovery)];
}

/** Removes one authenticator. Lost if the user has no such authenticator, or it must stay. */
export function removingAuthenticator(
  userId: string,
  authenticatorId: string,
  after: AfterRemoval,
  keepLast: boolean,
) {
  return when(removeAuthenticator(userId, authenticatorId, keepLast), {
    won: [
      deleteRecoverySetWithoutFactor(userId),
      dropEmergencyCodeWithoutFactor(userId),
      endProofsAfterRemoval(userId),
      forgetPlacesWithoutFactor(userId),
      endGraceWithoutFactor(userId),
      following(userId, after),
    ],
    lost: [],
  });
}

function following(userId: string, { someLeft, noneLeft }: AfterRemoval): Write {
  return when(findAnyOf(userId), { won: someLeft, lost: noneLeft });
}

/** Removes the authenticators of one kind, and answers how many they were. */
export function removingKind(userId: string, kind: string, after: AfterRemoval) {
  return [removeAuthenticators(userId, kind), afterKind(userId, after)] as const;
}

/** Removes the authenticators of one kind. Lost where the user has no others. */
export function removingKindKeepingLast(userId: string, kind: string, after: AfterRemoval) {
  return when(removeKindKeepingLast(userId, kind), { won: afterKind(userId, after), lost: [] });
}

/** Removes all authenticators of a user, who wants it so. Lost where there are none. */
export function removingEverything(userId: string, also: Write) {
  return when(removeEveryAuthenticator(userId), {
    won: afterKind(userId, { someLeft: [], noneLeft: also }),
    lost: [],
  });
}

function afterKind(userId: string, after: AfterRemoval): readonly Write[] {
  return [
    deleteRecoverySetWithoutFactor(userId),
    dropEmergencyCodeWithoutFactor(userId),
    endProofsAfterRemoval(userId),
    clearLanesWithoutFactor(userId),
    forgetPlacesWithoutFactor(userId),
    endGraceWithoutFactor(userId),
    following(userId, after),
  ];
}

/** Removes all that a user has enrolled, and answers how many authenticators there were. */
export function removingAllFactors(userId: string) {
  return [
    removeAuthenticators(userId),
    deleteRecoverySetWithoutFactor(userId),
    dropEmergencyCodeWithoutFactor(userId),
    endProofsAfterRemoval(userId),
    clearLanes(userId),
    forgetPlaces(userId),
    endGraceWithoutFactor(userId),
    endPageSessionsOf(userId),
  ] as const;
}

/** Puts new recovery codes in the place of the old ones. Lost if 2FA is off. */
export function replacingRecoverySet(userId: string, set: NewRecoverySet, also: Write) {
  return when(putRecoverySet(userId, set), {
    won: [putRecoveryCodes(userId, set), endProofs(userId), also],
    lost: [],
  });
}

/** Deletes the recovery codes. Lost if there are none. */
export function deletingRecoverySet(userId: string, also: Write) {
  return when(deleteRecoverySet(userId), { won: [endProofs(userId), also], lost: [] });
}
