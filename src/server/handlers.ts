import { PROBE_HEADER } from '../discovery/probes.ts';
import type { Handlers } from '../gateway/app.ts';
import { createFrontDoor, type DoorTimes, type FrontDoor } from '../gateway/front_door.ts';
import { GuardedRequest } from '../guard/guarded_request.ts';
import type { Handler } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import {
  type GuardedRoute,
  guardedEndpoints,
  isOauthPath,
  mountedPaths,
  ROUTES,
  type RouteId,
} from '../http/routes.ts';
import { type SecondFactorStage, SSO_STAGE } from '../matrix/wire.ts';
import type { UnderWay } from '../system/under_way.ts';
import type { Foundations } from './compose/foundations.ts';
import type { Services } from './compose.ts';
import { noticingLanguages } from './notices.ts';
import type { Watch } from './watch.ts';

/** What answers which route. Every row of the route table must stand here: the type says so. */
function routeHandlers(services: Services): Readonly<Record<RouteId, Handler>> {
  return {
    login_flows: (request) => services.discovery.loginFlows(request),
    login: (request) => services.login.handle(request),
    register: (request) => services.register.handle(request),
    refresh: (request) => services.sessionEndings.refresh(request),
    logout: (request) => services.sessionEndings.logout(request),
    logout_all: (request) => services.sessionEndings.logoutAll(request),
    versions: (request) => services.discovery.versions(request),
    well_known_client: (request) => services.discovery.wellKnown(request),
    ...guardedHandlers(services),
    two_factor_state: (request) => services.state.handle(request),
    turn_off: (request) => services.ownActions.handle(services.authenticatorRemoval.everything, request),
    set_up_factor: async (request) => services.ownActions.handle(services.setUp.of(request), request),
    confirm_factor: (request) => services.setUpConfirmation.handle(request),
    remove_authenticators: async (request) =>
      services.ownActions.handle(services.authenticatorRemoval.of(request), request),
    recovery_state: (request) => services.recoveryCodes.describe(request),
    renew_recovery_codes: (request) => services.ownActions.handle(services.recoveryCodes.renewal, request),
    delete_recovery_codes: (request) => services.ownActions.handle(services.recoveryCodes.removal, request),
    rename_authenticator: (request) => services.authenticatorNames.rename(request),
    device_passwords: (request) => services.ownDevicePasswords.list(request),
    create_device_password: (request) =>
      services.ownActions.handleByLogin(services.devicePasswordCreation.action, request),
    rename_device_password: (request) => services.ownDevicePasswords.rename(request),
    revoke_device_password: (request) => services.ownDevicePasswords.revoke(request),
    recovery_contacts: (request) => services.recoveryContacts.describe(request),
    change_recovery_contacts: (request) =>
      services.ownActions.handle(services.recoveryContacts.change, request),
    delete_recovery_contacts: (request) =>
      services.ownActions.handle(services.recoveryContacts.removal, request),
    recovery_vote: (request) => services.recoveryVotes.describe(request),
    cast_recovery_vote: (request) => services.ownActions.handle(services.recoveryVotes.casting, request),
    own_policy: (request) => services.accountPolicy.describe(request),
    begin_enrolment: (request) => services.enrolments.handleBegin(request),
    confirm_enrolment: (request) => services.enrolments.handleConfirm(request),
    begin_recovery: (request) => services.recoveryDoor.begin(request),
    recovery_status: (request) => services.recoveryDoor.status(request),
    own_history: (request) => services.ownHistory.handle(request),
    page_session: (request) => services.pageSession.call(request),
    page_sign_out: (request) => services.pageSession.signOut(request),
    contact_page: (request) => services.contactPage.show(request),
    contact_form: (request) => services.contactPage.submit(request),
    vote_page: (request) => services.votePage.show(request),
    account_page: (request) => services.accountPage.handle(request),
    account_form: (request) => services.signInPage.submit(request, 'account'),
    sso_fallback_page: (request) => services.fallbackPage.show(SSO_STAGE, request),
    sso_fallback_form: (request) => services.fallbackPage.submit(SSO_STAGE, request),
    factor_fallback_page: (request) => services.fallbackPage.show(stageOf(request), request),
    factor_fallback_form: (request) => services.fallbackPage.submit(stageOf(request), request),
    oauth_fallback_page: (request) => services.fallbackPage.show(SSO_STAGE, request),
    oauth_fallback_form: (request) => services.fallbackPage.submit(SSO_STAGE, request),
    enrolment_page: (request) => services.enrolmentPage.show(request),
    enrolment_form: (request) => services.enrolmentPage.submit(request),
    sso_redirect: (request) => services.ssoRedirect.handle(request),
    provider_approval: (request) => services.providerApproval.lead(request),
    provider_return: (request) => services.providerPage.receive(request),
    authorize_page: (request) => services.authorizePage.show(request),
    authorize_form: (request) => services.authorizePage.submit(request),
    link_page: (request) => services.linkPage.show(request),
    link_form: (request) => services.linkPage.submit(request),
    sign_in_page: (request) => services.signInPage.show(request),
    sign_in_form: (request) => services.signInPage.submit(request),
    replace_page: (request) => services.signInPage.showReplacement(request),
    recover_page: (request) => services.recoverPage.show(request),
    recover_form: (request) => services.recoverPage.submit(request),
    recover_cancel_page: (request) => services.cancelPage.show(request),
    recover_cancel_form: (request) => services.cancelPage.submit(request),
    help_page: async (request) => services.helpPage.handle(request),
    to_account_page: async (request) => services.accountPage.redirect(request),
    not_found_page: async (request) => services.helpPage.notFound(request),
    web_asset: (request) => services.assets.handle(request),
    oauth_device: (request) => services.oauthDevice(request),
    oauth_token: (request) => services.oauthToken(request),
    oauth_revoke: (request) => services.oauthRevoke(request),
    oauth_metadata: (request) => services.oauthMetadata(request),
    oauth_register: (request) => services.oauthRegister(request),
    oauth_jwks: (request) => services.oauthJwks(request),
    health: async () => services.readiness.health(),
    ready: () => services.readiness.ready(),
    probe: (request) => services.probes.late(request),
  };
}

function guardedHandlers({ guard }: Services): Record<GuardedRoute, Handler> {
  const rows = guardedEndpoints().map((endpoint): [GuardedRoute, Handler] => [
    endpoint.route,
    (request) => new GuardedRequest(guard, endpoint, request).handle(),
  ]);
  return Object.fromEntries(rows) as Record<GuardedRoute, Handler>;
}

/** What asks its owner for a proof, and changes of the two-factor API, are not for OAuth clients, but for one. */
function closedToOAuth(handlers: Handlers, { oauthLimits }: Services): Handlers {
  const closed = ROUTES.filter(({ id, door, method }) => {
    if (id === 'upload_signing_keys') return false;
    return door === 'guard' || (door === 'account' && method !== 'GET');
  }).map(({ id }): [RouteId, Handler] => [
    id,
    async (request) => {
      await oauthLimits.refuse(request);
      return handlers[id](request);
    },
  ]);
  return { ...handlers, ...(Object.fromEntries(closed) as Partial<Handlers>) };
}

/** Below one of our stages, whether there is a factor for it or not. */
function stageOf({ params }: ClientRequest): SecondFactorStage {
  return `m.login.2fa.${params.kind ?? ''}`;
}

/** The OAuth 2.0 API answers nothing while its door is not open. */
function behindOauthSwitch(handlers: Handlers, { oauthSwitch }: Services): Handlers {
  const gated = ROUTES.filter(({ paths, prefixes }) =>
    mountedPaths({ paths, prefixes }).some(({ path }) => isOauthPath(path)),
  ).map(({ id }): [RouteId, Handler] => [id, oauthSwitch.gated(handlers[id])]);
  return { ...handlers, ...(Object.fromEntries(gated) as Partial<Handlers>) };
}

/** The path of late probes answers by itself. */
function isProbe(id: string, { headers }: ClientRequest): boolean {
  return PROBE_HEADER in headers && id !== 'probe';
}

/**
 * Notes what the handlers are doing: a request may go on when its connection was cut. What factors ask of a client is
 * added to their answers. A probe does nothing but to be answered.
 */
function tracked(handlers: Handlers, { challenges, probes }: Services, requests: UnderWay): Handlers {
  const entries = Object.entries(handlers).map(([id, handler]): [string, Handler] => {
    const asking = challenges.inAnswersOf(handler);
    const plain: Handler = (request) => requests.track(asking(request));
    return [id, (request) => (isProbe(id, request) ? probes.beforeHandler(plain)(request) : plain(request))];
  });
  return Object.fromEntries(entries) as Handlers;
}

interface DoorParts {
  readonly requests: UnderWay;
  readonly watch: Watch;
  /** Whether requests that are passed on are counted. */
  readonly countsPassed: boolean;
  readonly times: DoorTimes;
}

/** The front door, with the handlers behind it. */
export function frontDoorOf(foundations: Foundations, services: Services, parts: DoorParts): FrontDoor {
  const { config, storage, log } = foundations;
  const { requests, watch, countsPassed, times } = parts;
  const closed = closedToOAuth(routeHandlers(services), services);
  const handlers = tracked(behindOauthSwitch(closed, services), services, requests);
  return createFrontDoor({
    upstream: new URL(config.homeserver.url),
    handlers: noticingLanguages(handlers, { config, storage, requests }),
    trustedProxies: () => config.trustedProxies,
    checkAnswer: (answer) => services.egressGate.check(answer),
    onFinished: (request) => {
      watch.finished(request);
      services.seenUsers.finished(request);
    },
    checkRequest: (request) =>
      config.policy.blocksSessions ? services.sessionBlock.check(request) : undefined,
    hasOauth: () => services.oauthSwitch.isServed,
    ...(countsPassed && { onPassed: (status: number) => watch.passed(status) }),
    log,
    times,
  });
}
