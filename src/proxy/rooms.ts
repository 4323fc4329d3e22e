import type { AccountParts, AccountSettings } from '../account/account_parts.ts';
import { AuthenticatorNames } from '../account/authenticator_names.ts';
import { OwnHistory } from '../account/own_history.ts';
import { OwnerProofs } from '../account/owner_proof.ts';
import { RecoveryCodes } from '../account/recovery_codes.ts';
import { TotpConfirmation } from '../account/totp_confirmation.ts';
import { TotpRemoval } from '../account/totp_removal.ts';
import { TotpSetup } from '../account/totp_setup.ts';
import { TwoFactorState } from '../account/two_factor_state.ts';
import { Audit } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import { Discovery } from '../discovery/discovery.ts';
import { Readiness } from '../discovery/readiness.ts';
import { everyFactor } from '../factors/factors.ts';
import { BoundedQueue } from '../factors/recovery/bounded_queue.ts';
import { RecoveryHasher } from '../factors/recovery/recovery_hasher.ts';
import { Consequences } from '../guard/consequences.ts';
import { Guard } from '../guard/guard.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { AppserviceTokens } from '../interactive/appservice_tokens.ts';
import { FreshLogins } from '../interactive/fresh_logins.ts';
import { HomeserverTurns } from '../interactive/onward.ts';
import { OwnerAuthentication } from '../interactive/owner_authentication.ts';
import { PasswordProbe } from '../interactive/password_probe.ts';
import { SecondFactors } from '../interactive/second_factors.ts';
import { TokenOwners } from '../interactive/token_owner.ts';
import { EqualSignIns } from '../login/equal_sign_ins.ts';
import { HeldLogins } from '../login/held_logins.ts';
import { HoldSweeper } from '../login/hold_sweeper.ts';
import { LoginAnswers } from '../login/login_answers.ts';
import { LoginConversation } from '../login/login_conversation.ts';
import { LoginGate } from '../login/login_gate.ts';
import { PageSignIn } from '../login/page_sign_in.ts';
import { PassedLoginTokens } from '../login/passed_login_tokens.ts';
import { RegisterGate } from '../login/register_gate.ts';
import { HeldLoginRelease } from '../login/release.ts';
import { SessionEndings } from '../login/session_endings.ts';
import { SignInTokens } from '../login/sign_in_tokens.ts';
import { UpstreamLogin } from '../login/upstream_login.ts';
import type { Storage } from '../storage/stores.ts';
import { type Clock, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { RandomSource } from '../system/random.ts';
import { AddressLimit } from '../throttle/address_limit.ts';
import { RateLimit } from '../throttle/rate_limit.ts';
import { SecondFactorCheck } from '../throttle/second_factor_check.ts';
import { Throttle } from '../throttle/throttle.ts';
import { UiaEngine } from '../uia/engine.ts';
import type { Vault } from '../vault/vault.ts';
import { AccountPage } from '../web/account/account_page.ts';
import { FallbackPage } from '../web/fallback/fallback_page.ts';
import { SessionProofs } from '../web/fallback/session_proofs.ts';
import { FormPages } from '../web/forms/form_pages.ts';
import { FormTokens } from '../web/forms/form_tokens.ts';
import { Assets } from '../web/shell/assets.ts';
import { brandOf } from '../web/shell/brand.ts';
import { PageShell } from '../web/shell/page.ts';
import { ProviderPage } from '../web/sign_in/provider_page.ts';
import { ProviderRounds } from '../web/sign_in/provider_rounds.ts';
import { ProviderStates } from '../web/sign_in/provider_states.ts';
import { RedirectTargets } from '../web/sign_in/redirect_targets.ts';
import { SignInPage } from '../web/sign_in/sign_in_page.ts';
import { SsoRedirect } from '../web/sign_in/sso_redirect.ts';

/** Argon2 runs at once, and waiting: guesses must not starve the logins of others (attack 90). */
const HASHES_AT_ONCE = 2;
const HASHES_WAITING = 64;

/** What everything is made of. */
export interface Foundations {
  readonly storage: Storage;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Log;
}

/** The rooms behind the front door: what answers the gated and own routes. */
export interface Rooms {
  readonly login: LoginGate;
  readonly register: RegisterGate;
  readonly sessionEndings: SessionEndings;
  readonly guard: Guard;
  readonly state: TwoFactorState;
  readonly totpSetup: TotpSetup;
  readonly totpConfirmation: TotpConfirmation;
  readonly totpRemoval: TotpRemoval;
  readonly recoveryCodes: RecoveryCodes;
  readonly authenticatorNames: AuthenticatorNames;
  readonly ownHistory: OwnHistory;
  readonly accountPage: AccountPage;
  readonly assets: Assets;
  readonly signInPage: SignInPage;
  readonly providerPage: ProviderPage;
  readonly ssoRedirect: SsoRedirect;
  readonly fallbackPage: FallbackPage;
  readonly discovery: Discovery;
  readonly readiness: Readiness;
  readonly sweeper: HoldSweeper;
}

/** Puts the rooms together from the configuration. */
export function composeRooms(config: Config, foundations: Foundations): Rooms {
  const { storage, vault, homeserver, clock, random, log } = foundations;
  const audit = new Audit(storage.audit, clock);
  const totp = { ...config.totp, period: config.totp.periodMs / SECOND };
  const hasher = new RecoveryHasher(new BoundedQueue(HASHES_AT_ONCE, HASHES_WAITING));
  const factors = everyFactor({ store: storage.factors, vault, clock, hasher, totp });
  const check = new SecondFactorCheck(factors, new Throttle(storage.throttle, clock));
  const addressLimit = new AddressLimit(config.limits.perAddress, clock);
  const secondFactors = new SecondFactors(storage.factors, factors, check, addressLimit, audit);
  const engine = new UiaEngine(
    { store: storage.sessions, vault, clock, random },
    {
      lifetimeMs: config.uia.sessionTtlMs,
      maxSessions: config.uia.maxSessions,
      failureLimit: config.limits.sessionFailures,
    },
  );
  const codes = { appendedCode: config.login.appendedCode, digits: totp.digits };
  const turns = new HomeserverTurns(storage.sessionTurns, vault, clock);
  const tokenOwners = new TokenOwners(homeserver, engine);
  const owners = new OwnerAuthentication(engine, secondFactors, turns, { ...codes, pages: config.login.sso });
  const passwordProbe = new PasswordProbe(homeserver, owners);
  const freshLogins = new FreshLogins(storage.freshLogins, vault, clock);
  const appservices = new AppserviceTokens(config.applicationServices);
  const holds = new HeldLogins(storage.holds, vault, clock, random, {
    holdTtlMs: config.login.holdTtlMs,
    maximum: config.uia.maxSessions,
  });
  const answers = new LoginAnswers(config.publicBaseUrl);
  const upstream = new UpstreamLogin(homeserver, log);
  const signInLimit = new RateLimit(config.limits.signInPerUser, clock);
  const release = new HeldLoginRelease({
    holds,
    factors: storage.factors,
    upstream,
    homeserver,
    answers,
    freshLogins,
    audit,
    signInLimit,
    clock,
  });
  const passedTokens = new PassedLoginTokens(storage.loginTokens, clock);
  const signInTokens = new SignInTokens(storage.signInTokens, holds, release, clock, random);
  const equalSignIns = new EqualSignIns();
  const conversation = new LoginConversation(engine, secondFactors, holds, release, random);
  const doors = {
    factors: storage.factors,
    homeserver,
    upstream,
    holds,
    conversation,
    answers,
    appservices,
  };
  const account: AccountParts = {
    store: storage.factors,
    factors,
    proofs: new OwnerProofs(owners, passwordProbe),
    owners,
    homeserver,
    tokenOwners,
    recovery: { vault, clock, random, hasher },
    vault,
    clock,
    random,
    audit,
  };
  const accountSettings: AccountSettings = {
    totp,
    recoveryCount: config.recovery.count,
    setupTtlMs: config.uia.sessionTtlMs,
  };
  const brand = brandOf(config.brand);
  const assets = new Assets(brand.logo);
  const shell = new PageShell(brand, assets, random);
  const formTokens = new FormTokens(vault, random, config.publicBaseUrl);
  const formPages = new FormPages(shell, formTokens, log);
  const pageSignIn = new PageSignIn({
    engine,
    factors: storage.factors,
    secondFactors,
    holds,
    upstream,
    tokens: signInTokens,
    passedTokens,
    equalSignIns,
    signInLimit,
  });
  const targets = new RedirectTargets(config.sso.clients);
  const rounds = new ProviderRounds(
    homeserver,
    new ProviderStates(vault, clock),
    formTokens,
    config.publicBaseUrl,
  );
  const signInPage = new SignInPage(pageSignIn, formPages, targets, rounds, {
    offered: config.login.sso,
    digits: totp.digits,
  });
  const providerPage = new ProviderPage(pageSignIn, formPages, targets, rounds, signInPage);
  return {
    login: new LoginGate(
      {
        ...doors,
        passedTokens,
        signInTokens,
        equalSignIns,
        freshLogins,
        signInLimit,
        audit,
      },
      codes,
    ),
    register: new RegisterGate(doors),
    sessionEndings: new SessionEndings({
      homeserver,
      factors: storage.factors,
      sessions: storage.sessions,
      holds,
      appservices,
    }),
    guard: new Guard({
      homeserver,
      secondFactors,
      tokenOwners,
      owners,
      passwordProbe,
      freshLogins,
      appservices,
      consequences: new Consequences(storage.holds, storage.sessions, storage.loginTokens, clock),
      audit,
      digits: totp.digits,
    }),
    state: new TwoFactorState(account),
    totpSetup: new TotpSetup(account, accountSettings),
    totpConfirmation: new TotpConfirmation(account, accountSettings),
    totpRemoval: new TotpRemoval(account),
    recoveryCodes: new RecoveryCodes(account, accountSettings),
    authenticatorNames: new AuthenticatorNames(account),
    ownHistory: new OwnHistory(account, storage.audit),
    accountPage: new AccountPage(shell, totp.digits),
    assets,
    signInPage,
    providerPage,
    fallbackPage: new FallbackPage(
      new SessionProofs(engine, secondFactors, turns, homeserver),
      formPages,
      homeserver,
      totp.digits,
    ),
    ssoRedirect: new SsoRedirect(homeserver, providerPage, config.login.sso),
    discovery: new Discovery(
      homeserver,
      config.publicBaseUrl,
      config.login.sso ? { name: config.sso.name, preferred: config.sso.preferred } : undefined,
    ),
    readiness: new Readiness(storage, homeserver),
    sweeper: new HoldSweeper(storage.holds, holds, homeserver, audit, clock, log),
  };
}
