import type { AccountDeps, AccountSettings } from '../account/account_deps.ts';
import { AccountPolicy } from '../account/account_policy.ts';
import { AuthenticatorNames } from '../account/authenticator_names.ts';
import { AuthenticatorRemoval } from '../account/authenticator_removal.ts';
import { Enrolment } from '../account/enrolment.ts';
import { OwnHistory } from '../account/own_history.ts';
import { RecoveryCodes } from '../account/recovery_codes.ts';
import { RecoverySetUp } from '../account/recovery_set_up.ts';
import { Replacement } from '../account/replacement.ts';
import { SetUp } from '../account/set_up.ts';
import { SetUpConfirmation } from '../account/set_up_confirmation.ts';
import { SetUps } from '../account/set_ups.ts';
import { TwoFactorState } from '../account/two_factor_state.ts';
import { RecoveryBegin } from '../account_recovery/begin.ts';
import { CancelLinks } from '../account_recovery/cancel_links.ts';
import { RecoveryClock } from '../account_recovery/clock.ts';
import { ContactAddresses } from '../account_recovery/contact_address.ts';
import { ContactLinks } from '../account_recovery/contact_links.ts';
import { findContactList } from '../account_recovery/contact_list.ts';
import { Eligibility } from '../account_recovery/eligibility.ts';
import { RecoveryEndings } from '../account_recovery/endings.ts';
import { calendarsOf } from '../account_recovery/frozen_calendar.ts';
import { Recipients } from '../account_recovery/recipients.ts';
import { RecoveryContacts } from '../account_recovery/recovery_contacts.ts';
import { RecoveryVotes } from '../account_recovery/recovery_votes.ts';
import { RoomAdmins } from '../account_recovery/room_admins.ts';
import { SessionUse } from '../account_recovery/session_use.ts';
import { Telling } from '../account_recovery/telling.ts';
import { VotersAsked } from '../account_recovery/voters_asked.ts';
import { Vouchers } from '../account_recovery/vouchers.ts';
import { Audit } from '../audit/audit.ts';
import { chainSeals } from '../audit/macs.ts';
import { Pruning } from '../audit/pruning.ts';
import type { Config } from '../config/config.ts';
import { DevicePasswordCreation } from '../device_passwords/creation.ts';
import { DevicePasswordEnds } from '../device_passwords/ends.ts';
import { OwnDevicePasswords } from '../device_passwords/own_device_passwords.ts';
import { DevicePasswordRelease } from '../device_passwords/release.ts';
import { DevicePasswordRenewal } from '../device_passwords/renewal.ts';
import { Discovery } from '../discovery/discovery.ts';
import { Probes } from '../discovery/probes.ts';
import { Readiness } from '../discovery/readiness.ts';
import { type CreateFactor, createFactors } from '../factors/list.ts';
import { hashingQueue, RecoveryHasher } from '../factors/recovery/recovery_hasher.ts';
import { Consequences } from '../guard/consequences.ts';
import { GuardedPage } from '../guard/guarded_page.ts';
import type { GuardedRequestDeps } from '../guard/guarded_request.ts';
import { MissingEndpoints } from '../guard/missing_endpoints.ts';
import { SessionLeases } from '../guard/onward.ts';
import { OwnActions } from '../guard/own_actions.ts';
import { PasswordSessions } from '../guard/password_sessions.ts';
import { ProviderProof } from '../guard/provider_proof.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { SupportContact } from '../homeserver/support_contact.ts';
import { AddressLimit } from '../limits/address_limit.ts';
import { DeviceLimit } from '../limits/device_limit.ts';
import { Lanes } from '../limits/lanes.ts';
import { ThrottleRecord } from '../limits/throttle_record.ts';
import { sweepOfDevicePasswords } from '../login/device_password_sweeper.ts';
import { HoldSweeper } from '../login/hold_sweeper.ts';
import { LoginAgain } from '../login/login_again.ts';
import { LoginConversation } from '../login/login_conversation.ts';
import { LoneLogin } from '../login/lone_login.ts';
import { LoneSignIn } from '../login/lone_sign_in.ts';
import { OwnTokens } from '../login/own_tokens.ts';
import { PageEntry } from '../login/page_entry.ts';
import { PageLogin } from '../login/page_login.ts';
import { PageRecovery } from '../login/page_recovery.ts';
import { sweepOfPageSessions } from '../login/page_session_sweeper.ts';
import { PageSessions } from '../login/page_sessions.ts';
import { PageSignIn } from '../login/page_sign_in.ts';
import { PageTickets } from '../login/page_tickets.ts';
import { Readings } from '../login/readings.ts';
import { RecoveryClaims } from '../login/recovery_claims.ts';
import { RecoveryDoor } from '../login/recovery_door.ts';
import { RegisterGate } from '../login/register.ts';
import { SecondLogin } from '../login/second_login.ts';
import { SessionEndings } from '../login/session_endings.ts';
import { LoginGate } from '../login/sign_in.ts';
import { SignInLine } from '../login/sign_in_line.ts';
import { StoredLineLeases } from '../login/stored_line_leases.ts';
import type { Addresses } from '../notify/addresses.ts';
import { Outbox } from '../notify/outbox.ts';
import { AccountPage } from '../pages/account/account_page.ts';
import { PageSessionDoor } from '../pages/account/page_session.ts';
import { SessionCookie } from '../pages/account/session_cookie.ts';
import { EnrolmentPage } from '../pages/fallback/enrolment_page.ts';
import { FallbackPage } from '../pages/fallback/fallback_page.ts';
import { ProviderApproval } from '../pages/fallback/provider_approval.ts';
import { FormPages } from '../pages/forms/form_pages.ts';
import { FormProblems } from '../pages/forms/form_problems.ts';
import { FormTokens } from '../pages/forms/form_tokens.ts';
import { KnownBrowser } from '../pages/forms/known_browser.ts';
import { Visits } from '../pages/forms/visits.ts';
import { HelpPage } from '../pages/help/help_page.ts';
import { CancelPage } from '../pages/recover/cancel_page.ts';
import { ContactPage } from '../pages/recover/contact_page.ts';
import { RecoverPage } from '../pages/recover/recover_page.ts';
import { RecoverSteps, type RecoverStepsDeps } from '../pages/recover/recover_steps.ts';
import { RecoverViews, type RecoverViewsDeps } from '../pages/recover/recover_views.ts';
import type { RecoverVisit } from '../pages/recover/recover_visit.ts';
import { VotePage } from '../pages/recover/vote_page.ts';
import { SetUpPages } from '../pages/set_up/set_up_pages.ts';
import { Assets } from '../pages/shell/assets.ts';
import { brandOf } from '../pages/shell/brand.ts';
import { contactAt, contactOf } from '../pages/shell/contact.ts';
import { PageShell } from '../pages/shell/page.ts';
import { AccountEntry } from '../pages/sign_in/account_entry.ts';
import { LoneQuestions } from '../pages/sign_in/lone_questions.ts';
import { ProviderPage } from '../pages/sign_in/provider_page.ts';
import { ProviderRounds } from '../pages/sign_in/provider_rounds.ts';
import { ProviderStates } from '../pages/sign_in/provider_states.ts';
import { RedirectTargets } from '../pages/sign_in/redirect_targets.ts';
import { SignInAlone, type SignInAloneDeps } from '../pages/sign_in/sign_in_alone.ts';
import { SignInEnds } from '../pages/sign_in/sign_in_ends.ts';
import { SignInPage } from '../pages/sign_in/sign_in_page.ts';
import { SignInReplace } from '../pages/sign_in/sign_in_replace.ts';
import { SignInSetUp } from '../pages/sign_in/sign_in_set_up.ts';
import { SignInSteps } from '../pages/sign_in/sign_in_steps.ts';
import { SignInViews } from '../pages/sign_in/sign_in_views.ts';
import type { SignInVisit } from '../pages/sign_in/sign_in_visit.ts';
import { SsoRedirect } from '../pages/sign_in/sso_redirect.ts';
import { pageTexts } from '../pages/texts/own_texts.ts';
import { Policies } from '../policy/policies.ts';
import { Reminders } from '../policy/reminders.ts';
import { AccountSessions } from '../second_factor/account_sessions.ts';
import { AppserviceTokens } from '../second_factor/appservices.ts';
import { TokenOwners } from '../second_factor/caller.ts';
import { pageUrls } from '../second_factor/challenge_answer.ts';
import { Challenges } from '../second_factor/challenges.ts';
import { CodeStep } from '../second_factor/code_step.ts';
import { EgressGate } from '../second_factor/egress_gate.ts';
import { Exit } from '../second_factor/exit.ts';
import { FreshLogins } from '../second_factor/fresh_logins.ts';
import { HeldLogins } from '../second_factor/held_logins.ts';
import { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import { OwnLogin } from '../second_factor/own_login.ts';
import { Passes } from '../second_factor/passes.ts';
import { PresentedCodes } from '../second_factor/presented.ts';
import { SessionBlock } from '../second_factor/session_block.ts';
import { Standings } from '../second_factor/standing.ts';
import { StepUps } from '../second_factor/step_ups.ts';
import { UpstreamLogin } from '../second_factor/upstream_login.ts';
import { Chain } from '../storage/chain.ts';
import { HourlyLease } from '../storage/hourly_lease.ts';
import type { Storage } from '../storage/storage.ts';
import type { EndedHold } from '../storage/tables/holds.ts';
import type { LiveProcesses } from '../storage/tables/processes.ts';
import { type Clock, SECOND, type Ticks } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { systemPause } from '../system/pause.ts';
import type { RandomSource } from '../system/random.ts';
import { UiaEngine } from '../uia/engine.ts';
import type { MarkKeeper } from '../vault/mark_keeper.ts';
import type { Vault } from '../vault/vault.ts';
import { SeenUsers } from './seen_users.ts';

/** What everything is made of. */
export interface Foundations {
  /** What can be read again changes in it: it is read at each use (`config/live_config.ts`). */
  readonly config: Config;
  readonly storage: Storage;
  /** The same, for what is done from time to time: no request keeps it waiting for a connection. */
  readonly aside: Storage;
  readonly processes: LiveProcesses;
  readonly vault: Vault;
  readonly mark: MarkKeeper;
  readonly homeserver: Homeserver;
  readonly addresses: Addresses;
  /** The database's: of all that is written with a time. */
  readonly clock: Clock;
  /** Of the steps of codes, on which authenticator apps and this machine agree. */
  readonly machineClock: Clock;
  /** What this process has lived. */
  readonly ticks: Ticks;
  readonly random: RandomSource;
  readonly log: Log;
  /** Hears of a held login that ended, once it is logged out. */
  readonly onHoldEnded: (held: EndedHold) => void;
  /** Those that are not in the list. */
  readonly furtherFactors: readonly CreateFactor[];
}

/** All that answers requests; `handlers.ts` says which of it answers which route. */
export type Services = ReturnType<typeof compose>;

type SharedServices = ReturnType<typeof sharedServices>;

/** Puts together what answers requests, from the configuration. This file alone makes services. */
export function compose(foundations: Foundations) {
  const shared = sharedServices(foundations);
  const login = loginServices(shared);
  const account = accountServices(shared);
  return {
    ...login,
    ...account,
    ...pageServices(shared, login, account),
    guard: guardDeps(shared),
    ownActions: new OwnActions({
      ...shared,
      hasRegistration: foundations.config.homeserver.appservice !== undefined,
    }),
    discovery: discovery(shared),
    readiness: new Readiness(shared.storage, shared.homeserver),
    probes: new Probes({ storage: shared.storage, process: shared.processes.id, pause: systemPause }),
    hasher: shared.hasher,
    audit: shared.audit,
    totp: shared.totp,
    seenUsers: shared.seenUsers,
    pruning: new Pruning({
      ...shared,
      storage: shared.aside,
      holder: shared.processes.id,
      settings: foundations.config.audit,
    }),
    reminders: remindersOf(shared),
    recoveryClock: recoveryClock(shared),
    recoveryEndings: shared.recovery.endings,
    challenges: shared.challenges,
    factors: shared.factors,
    sessionBlock: new SessionBlock(shared),
    egressGate: new EgressGate(shared.homeserver, shared.standings, shared.log),
  };
}

/** What the doors share: there is one of each, as limits, queues and sessions must be the same for all doors. */
function sharedServices(foundations: Foundations) {
  const basics = basicServices(foundations);
  const { storage, vault, homeserver, clock, audit, factors, lanes, addressLimit, deviceLimit } = basics;
  const engine = sessionEngine(foundations);
  const throttleRecord = new ThrottleRecord(audit, clock);
  const { recovery } = basics;
  const codeStep = new CodeStep({
    ...{ storage, engine, lanes, addressLimit, throttleRecord, audit },
    whenAccepted: async (userId, client) =>
      recovery.enabled ? recovery.endings.byFactor(userId, client) : [],
  });
  const presented = new PresentedCodes(factors);
  const leases = new SessionLeases(storage, vault, clock);
  const ownerSessions = {
    engine,
    secondFactors: factors,
    standings: basics.standings,
    codes: { presented, step: codeStep },
    passwordSessions: new PasswordSessions(homeserver, clock),
    limits: { address: addressLimit, device: deviceLimit },
    leases,
    ways: basics.ways,
    stepUps: basics.stepUps,
  };
  return {
    ...basics,
    secondFactors: factors,
    presented,
    holds: heldLogins(foundations),
    challenges: new Challenges({ factors, engine, storage }),
    codeStep,
    engine,
    leases,
    ownerSessions,
    tokenOwners: new TokenOwners(homeserver, engine),
  };
}

/** What needs nothing but the foundations. */
function basicServices(foundations: Foundations) {
  const { config, storage, vault, clock, machineClock, random, furtherFactors } = foundations;
  const freshLogins = new FreshLogins(storage, vault, clock);
  const totp = { ...config.totp, period: config.totp.periodMs / SECOND };
  const hasher = new RecoveryHasher(hashingQueue());
  const outbox = new Outbox({ notify: () => config.notify, random });
  const audit = new Audit({
    ...{ storage, clock, chain: new Chain(chainSeals(vault)) },
    consequences: (record) => outbox.consequencesOf(record),
  });
  const policies = new Policies({ storage, audit }, () => config.policy);
  const factorDeps = {
    ...{ storage, store: storage.factors, vault, random, hasher, totp, webauthn: config.webauthn },
    clock: machineClock,
    mayHaveCodes: (userId: string) => policies.mayHaveCodes(userId),
  };
  const factors = createFactors(factorDeps, furtherFactors);
  return {
    ...foundations,
    recovery: recoveryParts(foundations, audit),
    totp,
    hasher,
    freshLogins,
    factors,
    audit,
    seenUsers: new SeenUsers({ storage, clock, log: foundations.log }),
    ways: {
      appendedCode: config.login.appendedCode,
      pages: config.login.sso,
      ...pageUrls(config.publicBaseUrl),
    },
    lanes: new Lanes(storage, vault),
    addressLimit: new AddressLimit(config.limits.perAddress, clock),
    deviceLimit: new DeviceLimit(clock),
    passes: new Passes({ storage, freshLogins, clock, random }),
    policies,
    devicePasswords: config.devicePasswords,
    devicePasswordEnds: new DevicePasswordEnds({ storage, audit }),
    stepUps: new StepUps({
      storage,
      stepUpMs: config.account.stepUpMs,
      publicBaseUrl: config.publicBaseUrl,
    }),
    standings: new Standings({ factors: storage.factors, policies }),
    enrolment: new OwedEnrolment(config.publicBaseUrl, { factors, policies }),
    appservices: new AppserviceTokens(() => config.applicationServices),
  };
}

/** What the recovery of an account has in common at all doors. */
function recoveryParts(foundations: Foundations, audit: Audit) {
  const { config, storage, vault, random, addresses } = foundations;
  const roomAdmins = new RoomAdmins({ ...foundations, registration: config.homeserver.appservice });
  const recipients = new Recipients({
    ...{ addresses, vault, random },
    operators: () => config.accountRecovery.operators,
    namedBy: async (userId) => {
      const { contact } = await findContactList(userId, { storage, vault });
      // Until its link was followed it may be anyone's.
      const isConfirmed = contact !== undefined && contact.confirmedTs !== null;
      return { voters: [], contact: isConfirmed ? contact : undefined };
    },
    ...(config.accountRecovery.roomAdmins && { roomAdminsOf: (userId: string) => roomAdmins.of(userId) }),
  });
  const telling = new Telling({ storage, recipients, addresses, notify: () => config.notify });
  return {
    enabled: config.accountRecovery.enabled,
    telling,
    recipients,
    calendarOf: calendarsOf(config.accountRecovery.calendar),
    endings: new RecoveryEndings({ storage, audit, telling }),
  };
}

/** How a recovery is begun, and its claim code taken: by a client, and on a page. */
function recoveryServices(shared: SharedServices, login: PageLogin, sessions: PageSessions) {
  const { config, recovery } = shared;
  const eligibility = new Eligibility(shared);
  const vouchers = new Vouchers({ ...shared, enabled: config.accountRecovery.vouch.enabled });
  const begin = new RecoveryBegin({
    ...shared,
    ...{ codes: shared, eligibility, vouchers },
    telling: recovery.telling,
    voters: new VotersAsked({ ...shared, notify: () => config.notify, settings: config.accountRecovery }),
    settings: config.accountRecovery,
  });
  const parts = { ...recovery, eligibility, begin };
  return {
    recoveryBegin: begin,
    recoveryClaims: new RecoveryClaims({ ...shared, sessions, codes: shared }),
    recoveryDoor: new RecoveryDoor({ ...shared, login, recovery: parts }),
    pageRecovery: new PageRecovery({
      ...{ ...shared, sessions, recovery: parts },
      settings: config.accountRecovery,
    }),
  };
}

function recoveryClock(shared: SharedServices): RecoveryClock {
  const { aside: storage, config, recovery, ticks, log } = shared;
  return new RecoveryClock({
    ...{ storage, audit: shared.audit, ...recovery, settings: config.accountRecovery },
    sessionUse: new SessionUse({ ...shared, registration: config.homeserver.appservice }),
    time: { ticks, calendarOf: recovery.calendarOf, log },
  });
}

function remindersOf(shared: SharedServices): Reminders {
  const { aside: storage, processes } = shared;
  const lease = new HourlyLease({ ...shared, storage, holder: processes.id }, 'policy reminders');
  return new Reminders({ ...shared, storage, lease, policy: () => shared.config.policy });
}

function heldLogins({ config, storage, vault, clock, random }: Foundations): HeldLogins {
  return new HeldLogins(storage, vault, clock, random, {
    holdTtlMs: config.login.holdTtlMs,
    maximum: config.uia.maxSessions,
    allowance: config.limits.signInPerUser,
  });
}

function sessionEngine({ config, storage, vault, clock, random }: Foundations): UiaEngine {
  return new UiaEngine(
    { store: storage.sessions, vault, clock, random },
    {
      lifetimeMs: config.uia.sessionTtlMs,
      maxSessions: config.uia.maxSessions,
      get failureLimit() {
        return config.limits.sessionFailures;
      },
    },
  );
}

/** Where users sign in and out. All doors share the held logins and their limits. */
function loginServices(shared: SharedServices) {
  const { config, storage, vault, homeserver, clock, log, holds } = shared;
  const readings = new Readings(
    { factors: storage.factors, codes: shared.factors, vault, policies: shared.policies, clock },
    shared.ways,
  );
  const upstream = new UpstreamLogin(homeserver, holds, shared.addressLimit, log);
  const exit = new Exit({ ...shared, holds, publicBaseUrl: config.publicBaseUrl });
  const ownLogin = new OwnLogin({ ...shared, upstream, registration: config.homeserver.appservice });
  const again = new LoginAgain({ upstream, ownLogin });
  const secondLogin = new SecondLogin({ ...shared, holds, again, exit });
  const doors = {
    ...shared,
    factors: storage.factors,
    holds,
    upstream,
    again,
    exit,
    line: new SignInLine({ ...shared, leases: new StoredLineLeases(shared), pause: systemPause }),
    readings,
  };
  const codes = { presented: shared.presented, step: shared.codeStep };
  const conversation = new LoginConversation({ ...shared, codes, holds, secondLogin });
  const signIn = { ...doors, conversation, granted: { ...doors, conversation } };
  const pageLogin = new PageLogin(doors);
  const sessions = new PageSessions(doors);
  const tickets = new PageTickets({ ...doors, sessions, login: pageLogin });
  const accountSessions = new AccountSessions({ ...doors, settings: config.account });
  const loneLogin = new LoneLogin({ ...doors, ownLogin, accountSessions });
  return {
    login: new LoginGate({
      ...doors,
      signIn,
      ownTokens: new OwnTokens({ ...shared, secondLogin, loneLogin }),
      devicePasswordRelease: devicePasswordRelease(shared, exit, ownLogin),
    }),
    register: new RegisterGate({ ...doors, conversation, publicBaseUrl: config.publicBaseUrl }),
    sessionEndings: new SessionEndings({ ...doors, sessions: storage.sessions }),
    pageSignIn: new PageSignIn({ ...doors, sessions, tickets, login: pageLogin }),
    sweeper: new HoldSweeper(
      shared.aside.holds,
      holds,
      homeserver,
      shared.audit,
      clock,
      log,
      shared.onHoldEnded,
    ),
    accountSessions,
    upstream,
    loneLogin,
    pageEntry: new PageEntry({ ...doors, sessions, tickets, accountSessions }),
    pageSessionSweep: sweepOfPageSessions({ ...shared, storage: shared.aside }),
    ...recoveryServices(shared, pageLogin, sessions),
    ...devicePasswordServices(shared, upstream, ownLogin),
  };
}

function devicePasswordRelease(
  shared: SharedServices,
  exit: Exit,
  ownLogin: OwnLogin,
): DevicePasswordRelease {
  const ends = shared.devicePasswordEnds;
  const renewal = new DevicePasswordRenewal({ ...shared, ownLogin, ends });
  return new DevicePasswordRelease({ ...shared, exit, ends, renewal });
}

function devicePasswordServices(shared: SharedServices, upstream: UpstreamLogin, ownLogin: OwnLogin) {
  const { log } = shared;
  const devicePasswordSweep = sweepOfDevicePasswords({ ...shared, storage: shared.aside });
  const logOut = () => {
    devicePasswordSweep
      .sweep()
      .catch((err) => log.warn({ err }, 'logins of device passwords could not be logged out now'));
  };
  return {
    devicePasswordSweep,
    devicePasswordCreation: new DevicePasswordCreation({ ...shared, upstream, ownLogin }),
    ownDevicePasswords: new OwnDevicePasswords({ ...shared, isRenewable: ownLogin.isOn }, logOut),
  };
}

/** The two-factor API. */
function accountServices(shared: SharedServices) {
  const { config, storage } = shared;
  const parts: AccountDeps = {
    ...shared,
    store: storage.factors,
    recovery: shared,
  };
  const settings: AccountSettings = {
    recoveryCount: config.recovery.count,
    setupTtlMs: config.uia.sessionTtlMs,
  };
  const policy = new AccountPolicy({
    ...parts,
    policies: shared.policies,
    devicePasswords: shared.devicePasswords,
  });
  const setUps = new SetUps(parts, settings, policy);
  return {
    state: new TwoFactorState(parts),
    setUp: new SetUp(parts, setUps),
    setUpConfirmation: new SetUpConfirmation(parts, setUps),
    authenticatorRemoval: new AuthenticatorRemoval(parts, policy),
    recoveryCodes: new RecoveryCodes(parts, settings, policy),
    authenticatorNames: new AuthenticatorNames(parts),
    ownHistory: new OwnHistory(parts),
    accountPolicy: policy,
    recoveryVotes: new RecoveryVotes({ ...shared, endings: shared.recovery.endings }, config.accountRecovery),
    recoveryContacts: new RecoveryContacts(
      shared,
      new ContactAddresses({ ...shared, notify: () => config.notify }),
      config.accountRecovery,
    ),
    enrolments: new Enrolment({ ...shared, ...parts }, setUps),
    replacement: new Replacement({ ...shared, ...parts }, setUps, shared.policies),
    recoverySetUp: new RecoverySetUp({ ...shared, ...parts }, setUps, shared.recovery.telling),
  };
}

/** The pages. */
function pageServices(
  shared: SharedServices,
  {
    pageSignIn,
    pageEntry,
    accountSessions,
    upstream,
    loneLogin,
    pageSessionSweep,
    pageRecovery,
    recoveryClaims,
  }: ReturnType<typeof loginServices>,
  { enrolments, replacement, recoverySetUp }: ReturnType<typeof accountServices>,
) {
  const { config, vault, homeserver, clock, random, log, totp } = shared;
  const { publicBaseUrl, login, sso } = config;
  const brand = brandOf(config.brand);
  const assets = new Assets(brand.logo);
  const support = new SupportContact(config.homeserver.url, log);
  const { helpUrl } = config.brand;
  const contact = () => (helpUrl === undefined ? contactOf(support.current()) : contactAt(helpUrl));
  const shell = new PageShell({
    brand,
    assets,
    random,
    texts: pageTexts(config.brand),
    publicBaseUrl,
    contact,
  });
  const formTokens = new FormTokens(vault, random, publicBaseUrl);
  const formPages = new FormPages(shell, formTokens, log);
  const targets = new RedirectTargets(sso, publicBaseUrl);
  const states = new ProviderStates(vault, clock);
  const rounds = new ProviderRounds(homeserver, states, formTokens, publicBaseUrl);
  const browsers = new KnownBrowser(random, publicBaseUrl);
  const setUps = new SetUpPages(enrolments, totp.digits);
  const cookie = new SessionCookie(publicBaseUrl);
  const setUp = new SignInSetUp(pageSignIn, setUps);
  const replace = new SignInReplace(pageSignIn, new SetUpPages(replacement, totp.digits), replacement);
  const entry = new AccountEntry(pageEntry, cookie);
  const problems = new FormProblems(shared);
  const visiting = { ...shared, tokens: formTokens, pause: systemPause };
  const alone = signInAlone(shared, loneLogin, { targets, browsers, entry });
  const signIn = {
    ...shared,
    alone,
    door: pageSignIn,
    pages: formPages,
    targets,
    rounds,
    browsers,
    setUp,
    replace,
    entry,
    problems,
    recovery: shared.recovery.enabled ? pageRecovery : undefined,
  };
  const settings = { digits: totp.digits, host: new URL(publicBaseUrl).host };
  const signInPage = new SignInPage(
    {
      ...signIn,
      visits: new Visits<SignInVisit>(visiting, 'sign_in'),
      steps: new SignInSteps({ ...signIn, ends: new SignInEnds(signIn) }),
      views: new SignInViews({ ...signIn, settings }),
    },
    login.sso,
  );
  const proofs = new GuardedPage({ ...shared, limits: shared.ownerSessions.limits });
  const providerProof = new ProviderProof({ ...shared, page: proofs, upstream });
  const providerApproval = new ProviderApproval(providerProof, formPages, rounds);
  const providerPage = new ProviderPage(pageSignIn, formPages, targets, rounds, signInPage, providerApproval);
  return {
    assets,
    signInPage,
    providerPage,
    providerApproval,
    accountPage: new AccountPage(
      { pages: formPages, signInPage, cookie, homeserver, factors: shared.factors },
      {
        ...shared.ways,
        digits: totp.digits,
        idleMs: config.account.idleMs,
        devicePasswords: config.devicePasswords.enabled,
        accountRecovery: config.accountRecovery.enabled,
        withoutPassword: config.homeserver.appservice !== undefined && login.sso,
      },
    ),
    votePage: new VotePage(formPages, config.accountRecovery.enabled && config.accountRecovery.votes.enabled),
    contactPage: new ContactPage(new ContactLinks(shared), formPages, config.accountRecovery.enabled),
    pageSession: new PageSessionDoor({
      ...{ sessions: accountSessions, cookie, pages: formPages, log },
      logOut: () => {
        pageSessionSweep
          .sweep()
          .catch((err) => log.warn({ err }, 'page sessions could not be logged out now'));
      },
      settings: { idleMs: config.account.idleMs, publicBaseUrl },
    }),
    ...recoverPages(shared, recoverySetUp, {
      claims: recoveryClaims,
      ...{ ...signIn, formTokens, contact, host: settings.host },
      sign: pageSignIn,
    }),
    // The operator says it themselves: then no one else is asked.
    support: helpUrl === undefined ? support : undefined,
    helpPage: new HelpPage(shell, {
      appendedCode: login.appendedCode,
      kinds: shared.factors.offered.map(({ kind }) => kind),
      server: brand.name,
      contact,
      recovery: shared.recovery.enabled,
    }),
    ssoRedirect: new SsoRedirect(homeserver, providerPage, login.sso),
    enrolmentPage: new EnrolmentPage(enrolments, formPages, setUps, new Visits(visiting, 'enrolment')),
    fallbackPage: new FallbackPage({
      ...{ proofs, homeserver, problems, pages: formPages, factors: shared.factors },
      visits: new Visits(visiting, 'fallback'),
      digits: totp.digits,
    }),
  };
}

/** Undefined where the operator lets no one sign in by a factor alone. */
function signInAlone(
  shared: SharedServices,
  login: LoneLogin,
  pages: SignInAloneDeps['pages'],
): SignInAlone | undefined {
  const factor = shared.factors.ofLoneSignIn();
  if (factor === undefined) return undefined;
  const questions = new LoneQuestions(shared.vault, shared.clock, factor.alone.questionMs);
  return new SignInAlone({
    ...shared,
    factor,
    questions,
    login,
    pages,
    door: new LoneSignIn(shared, factor),
  });
}

/** The pages of account recovery. They are 404 where it is off. */
function recoverPages(
  shared: SharedServices,
  finish: RecoverySetUp,
  parts: Omit<RecoverStepsDeps & RecoverViewsDeps, 'door' | 'setUp'> & {
    readonly pages: FormPages;
    readonly formTokens: FormTokens;
    readonly recovery: PageRecovery | undefined;
  },
) {
  const { recovery: door, pages } = parts;
  const deps = { ...parts, door, setUp: new SetUpPages(finish, shared.totp.digits) };
  const links = new CancelLinks({ ...shared, ...shared.recovery });
  return {
    recoverPage: new RecoverPage({
      ...{ pages, door, steps: new RecoverSteps(deps), views: new RecoverViews(deps) },
      visits: new Visits<RecoverVisit>(
        { ...shared, tokens: parts.formTokens, pause: systemPause },
        'recover',
      ),
    }),
    cancelPage: new CancelPage(links, pages, shared.recovery.enabled),
  };
}

function guardDeps(shared: SharedServices): GuardedRequestDeps {
  const { tokenOwners, appservices, standings, enrolment } = shared;
  return {
    ...shared,
    callers: { tokenOwners, appservices, standings, enrolment },
    consequences: new Consequences(shared.storage, shared.passes, shared.devicePasswordEnds),
    missing: new MissingEndpoints(shared.clock),
  };
}

function discovery({ homeserver, config }: SharedServices): Discovery {
  const { name, preferred } = config.sso;
  return new Discovery(homeserver, config.publicBaseUrl, config.login.sso ? { name, preferred } : undefined);
}
