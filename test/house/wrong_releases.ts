import type { EnrolledNow, EnrolmentState } from '../../src/account/session_set_ups.ts';
import type { PassedSignIn } from '../../src/login/second_login.ts';
import * as appservices from '../../src/second_factor/appservices.ts';
import type * as codeStep from '../../src/second_factor/code_step.ts';
import type * as devicePasswords from '../../src/second_factor/device_password_checked.ts';
import type { Exit } from '../../src/second_factor/exit.ts';
import * as codeProof from '../../src/second_factor/factor_passed.ts';
import * as grants from '../../src/second_factor/grant.ts';
import type { HeldLogins } from '../../src/second_factor/held_logins.ts';
import * as oauthClaims from '../../src/second_factor/oauth_claims.ts';
import * as oauthRefresh from '../../src/second_factor/oauth_refresh.ts';
import * as pages from '../../src/second_factor/page_shown.ts';
import * as passes from '../../src/second_factor/passes.ts';
import * as standing from '../../src/second_factor/standing.ts';
import type { Taker } from '../../src/second_factor/taker.ts';
import type { HeldLogin } from '../../src/storage/tables/holds.ts';
import type { OauthSession } from '../../src/storage/tables/oauth_sessions.ts';
import type { Session } from '../../src/uia/session.ts';

/*
 * What must not compile: each line below would let a token out without a proof, or make a proof out of nothing. `tsc`
 * reports an expectation that no error answers; so the check fails as soon as one of these releases is possible. It is
 * never run.
 */

declare const exit: Exit;
declare const grant: grants.Grant;
declare const held: HeldLogin;
declare const taker: Taker;
declare const session: Session;
declare const standings: standing.Standings;
declare const holds: HeldLogins;

declare const factorPassed: codeProof.FactorPassed;
declare const takenByCode: codeStep.TakenByCode;
declare const standingPasses: standing.StandingPasses;
declare const passPresented: passes.PassPresented;
declare const tokenClaimed: passes.FactorTokenClaimed;
declare const passRedeemed: passes.PassRedeemed;
declare const serviceListed: appservices.ServiceListed;
declare const pageShown: pages.PageSessionShown;
declare const grantClaimed: oauthClaims.OAuthGrantClaimed;
declare const refreshPresented: oauthRefresh.RefreshPresented;
declare const refreshRepeated: oauthRefresh.RefreshRepeated;
declare const oauthSession: OauthSession;
declare const nextTokens: oauthRefresh.NextTokens;
declare const deviceChecked: devicePasswords.DevicePasswordChecked;

/** What may compile, so that the errors below have the cause that they name. */
export function rightReleases(): void {
  exit.handOut(grant, standingPasses);
  exit.handOut(grant, passRedeemed);
  exit.handOut(grant, serviceListed);
  void exit.release(held, factorPassed, taker);
  void exit.release(held, passPresented, taker);
  exit.giveOut(takenByCode, taker);
  void exit.exchange({ held, claimant: '', second: grant, proof: factorPassed, taker });
  void exit.enter(held, passPresented, taker, () => []);
  void exit.tokenFor(grant, pageShown);
  exit.forDevicePassword(grant, deviceChecked, undefined);
  void exit.redeem(grant, tokenClaimed, taker);
  void exit.enterAlone(grant, tokenClaimed, taker, []);
  void exit.beginOAuth(grant, grantClaimed, {}, []);
  void exit.refreshOAuth(grant, refreshPresented, {}, nextTokens);
  exit.repeatOAuth(grant, refreshRepeated, {});
}

export async function withoutProof(): Promise<void> {
  // @ts-expect-error no proof
  exit.handOut(grant);
  // @ts-expect-error no proof
  exit.handOut(grant, undefined);
  // @ts-expect-error no proof
  await exit.release(held, undefined, taker);
  // @ts-expect-error no proof
  await exit.exchange({ held, claimant: '', second: grant, taker });
  // @ts-expect-error a login that was not taken
  exit.giveOut(held, taker);
  // @ts-expect-error a factor that was passed has taken no login yet
  exit.giveOut({ held, proof: factorPassed }, taker);
  // @ts-expect-error no proof
  grant.openFor();
  // @ts-expect-error no proof
  await exit.enter(held, undefined, taker, () => []);
  // @ts-expect-error a page session makes no client a login
  exit.handOut(grant, pageShown);
  // @ts-expect-error the cookie of a page session releases no held login
  await exit.release(held, pageShown, taker);
  // @ts-expect-error the token of a page session is for its page alone
  exit.tokenFor(grant, factorPassed);
  // @ts-expect-error a device password opens no login that waits for a factor
  await exit.release(held, deviceChecked, taker);
  // @ts-expect-error a device password opens its own login alone
  exit.handOut(grant, deviceChecked);
  // @ts-expect-error the login of a device password is for a device password alone
  exit.forDevicePassword(grant, standingPasses, undefined);
  // @ts-expect-error a login token of a factor alone releases no held login
  await exit.release(held, tokenClaimed, taker);
  // @ts-expect-error a login is made for a token, and not handed out without using it up
  exit.handOut(grant, tokenClaimed);
  // @ts-expect-error no proof
  await exit.redeem(grant, undefined, taker);
}

export async function withoutAClaim(): Promise<void> {
  // @ts-expect-error no proof
  await exit.beginOAuth(grant, undefined, {}, []);
  // @ts-expect-error a factor that was passed has claimed no code
  await exit.beginOAuth(grant, factorPassed, {}, []);
  // @ts-expect-error a refresh token begins no session
  await exit.beginOAuth(grant, refreshPresented, {}, []);
  // @ts-expect-error a claimed code is used up by the session that it begins
  exit.handOut(grant, grantClaimed);
  // @ts-expect-error a claimed code releases no held login
  await exit.release(held, grantClaimed, taker);
  // @ts-expect-error a session is not a proof: the homeserver has not said that it lives
  await exit.refreshOAuth(grant, oauthSession, {}, nextTokens);
  // @ts-expect-error what was answered before is not answered anew
  await exit.refreshOAuth(grant, refreshRepeated, {}, nextTokens);
  // @ts-expect-error a current token is used up by its refresh
  exit.repeatOAuth(grant, refreshPresented, {});
  // @ts-expect-error a token that was not looked at is not a proof
  exit.repeatOAuth(grant, oauthRefresh.standingOfRefresh(oauthSession, ''), {});
}

export async function withASession(): Promise<void> {
  // @ts-expect-error a session is not a proof: it may have stages left
  exit.handOut(grant, session);
  // @ts-expect-error a session is not a proof
  await exit.release(held, session, taker);
  // @ts-expect-error a session may not have passed
  await exit.release(held, codeProof.passedIn(session), taker);
}

/** All that can be seen of a proof; the private field is not among it. */
type Imitation<P> = { [K in keyof P]: P[K] };

export async function withAnImitation(
  factor: Imitation<codeProof.FactorPassed>,
  passing: Imitation<standing.StandingPasses>,
  presented: Imitation<passes.PassPresented>,
  redeemed: Imitation<passes.PassRedeemed>,
  claimed: Imitation<passes.FactorTokenClaimed>,
  listed: Imitation<appservices.ServiceListed>,
  open: Imitation<grants.Grant>,
): Promise<void> {
  // @ts-expect-error lacks the private field
  await exit.release(held, factor, taker);
  // @ts-expect-error lacks the private field
  exit.handOut(grant, passing);
  // @ts-expect-error lacks the private field
  await exit.release(held, presented, taker);
  // @ts-expect-error lacks the private field
  exit.handOut(grant, redeemed);
  // @ts-expect-error lacks the private field
  await exit.redeem(grant, claimed, taker);
  // @ts-expect-error lacks the private field
  exit.handOut(grant, listed);
  // @ts-expect-error lacks the private field
  exit.handOut(open, standingPasses);
  // @ts-expect-error lacks the private field
  grant.openFor({ hasFactor: false, isFor: () => true });
  // @ts-expect-error lacks the private field
  const passed: PassedSignIn['proof'] = factor;
  void passed;
}

export async function withAStandingNotLookedAt(): Promise<void> {
  const owed = await standings.of(grant.userId);
  // @ts-expect-error a standing is not a proof
  exit.handOut(grant, owed);
  // @ts-expect-error a standing that may owe a factor has no proof
  exit.handOut(grant, owed.proof);
  if (owed.is === 'owes_factor') {
    // @ts-expect-error a user who owes a factor has no proof
    exit.handOut(grant, owed.proof);
  }
  if (owed.is === 'owes_enrolment') {
    // @ts-expect-error a user who has to set up a factor first has no proof
    exit.handOut(grant, owed.proof);
  }
  if (owed.is === 'in_grace' || owed.is === 'cannot_enrol') exit.handOut(grant, owed.proof);
}

export async function withASetUp(
  enrolled: EnrolledNow,
  waits: EnrolmentState,
  owed: standing.OwesEnrolment,
): Promise<void> {
  // @ts-expect-error a factor that was set up is on record in its session, and no proof by itself
  await exit.release(held, enrolled, taker);
  // @ts-expect-error where a set-up stands is not a proof, done or not
  await exit.release(held, waits, taker);
  // @ts-expect-error a set-up that is owed is not a proof
  await exit.release(held, owed, taker);
  // @ts-expect-error a held login is handed out for what its session has passed only
  exit.handOut(grant, enrolled);
}

export async function withAProofForAnotherWay(): Promise<void> {
  // @ts-expect-error a proof on record must be used up, which handing out at once does not do
  exit.handOut(grant, factorPassed);
  // @ts-expect-error a proof on record must be used up
  exit.handOut(grant, passPresented);
  // @ts-expect-error a held login asks for a proof that its release uses up
  await exit.release(held, standingPasses, taker);
  // @ts-expect-error a held login asks for a proof that its release uses up
  await exit.release(held, serviceListed, taker);
  // @ts-expect-error this one is used up already
  await exit.release(held, passRedeemed, taker);
}

export function readingTheToken(): void {
  // @ts-expect-error private
  void grant.accessToken;
  // @ts-expect-error private
  void grant.body;
  // @ts-expect-error private
  void grant.received;
  // @ts-expect-error private, also in brackets
  void grant['#accessToken'];
  // @ts-expect-error what is held stays closed
  void holds.open(held).accessToken;
  // @ts-expect-error what is held stays closed
  void holds.open(held).body;
}

export function buildingAProof(): void {
  // @ts-expect-error exported as a type only
  void new codeProof.FactorPassed(session);
  // @ts-expect-error exported as a type only
  void new standing.StandingPasses('@bob:example.org');
  // @ts-expect-error exported as a type only
  void new passes.PassPresented({});
  // @ts-expect-error exported as a type only
  void new passes.PassRedeemed('@bob:example.org');
  // @ts-expect-error exported as a type only
  void new appservices.ServiceListed('token');
  // @ts-expect-error exported as a type only
  void new pages.PageSessionShown('@bob:example.org');
  // @ts-expect-error exported as a type only
  void new oauthClaims.OAuthGrantClaimed({}, '', '');
  // @ts-expect-error exported as a type only
  void new oauthRefresh.RefreshPresented(oauthSession, '');
  // @ts-expect-error exported as a type only
  void new oauthRefresh.RefreshRepeated(oauthSession);
  // @ts-expect-error exported as a type only
  void new grants.Grant('token', {});
  // @ts-expect-error one proof is not another
  const passed: codeProof.FactorPassed = passPresented;
  // @ts-expect-error a proof is not any object
  const proof: grants.Proof = {};
  void [passed, proof];
}
