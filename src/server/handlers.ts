import { GuardedRequest } from '../guard/guarded_request.ts';
import type { Handler } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { type GuardedRoute, guardedEndpoints, type RouteId } from '../http/routes.ts';
import { type SecondFactorStage, SSO_STAGE } from '../matrix/wire.ts';
import type { Rooms } from './rooms.ts';

/** Which room answers which route. Every row of the route table must stand here: the type says so. */
export function routeHandlers(rooms: Rooms): Readonly<Record<RouteId, Handler>> {
  return {
    login_flows: (request) => rooms.discovery.loginFlows(request),
    login: (request) => rooms.login.handle(request),
    register: (request) => rooms.register.handle(request),
    refresh: (request) => rooms.sessionEndings.refresh(request),
    logout: (request) => rooms.sessionEndings.logout(request),
    logout_all: (request) => rooms.sessionEndings.logoutAll(request),
    versions: (request) => rooms.discovery.versions(request),
    well_known_client: (request) => rooms.discovery.wellKnown(request),
    ...guardedHandlers(rooms),
    two_factor_state: (request) => rooms.state.handle(request),
    set_up_factor: async (request) => rooms.ownActions.handle(rooms.setUp.of(request), request),
    confirm_factor: (request) => rooms.setUpConfirmation.handle(request),
    remove_authenticators: async (request) =>
      rooms.ownActions.handle(rooms.authenticatorRemoval.of(request), request),
    recovery_state: (request) => rooms.recoveryCodes.describe(request),
    renew_recovery_codes: (request) => rooms.ownActions.handle(rooms.recoveryCodes.renewal, request),
    delete_recovery_codes: (request) => rooms.ownActions.handle(rooms.recoveryCodes.removal, request),
    rename_authenticator: (request) => rooms.authenticatorNames.rename(request),
    own_history: (request) => rooms.ownHistory.handle(request),
    account_page: async (request) => rooms.accountPage.handle(request),
    sso_fallback_page: (request) => rooms.fallbackPage.show(SSO_STAGE, request),
    sso_fallback_form: (request) => rooms.fallbackPage.submit(SSO_STAGE, request),
    factor_fallback_page: (request) => rooms.fallbackPage.show(stageOf(request), request),
    factor_fallback_form: (request) => rooms.fallbackPage.submit(stageOf(request), request),
    sso_redirect: (request) => rooms.ssoRedirect.handle(request),
    provider_return: (request) => rooms.providerPage.receive(request),
    sign_in_page: (request) => rooms.signInPage.show(request),
    sign_in_form: (request) => rooms.signInPage.submit(request),
    web_asset: (request) => rooms.assets.handle(request),
    health: async () => rooms.readiness.health(),
    ready: () => rooms.readiness.ready(),
  };
}

function guardedHandlers({ guard }: Rooms): Record<GuardedRoute, Handler> {
  const rows = guardedEndpoints().map((endpoint): [GuardedRoute, Handler] => [
    endpoint.route,
    (request) => new GuardedRequest(guard, endpoint, request).handle(),
  ]);
  return Object.fromEntries(rows) as Record<GuardedRoute, Handler>;
}

/** Below one of our stages, whether there is a factor for it or not. */
function stageOf({ params }: ClientRequest): SecondFactorStage {
  return `m.login.2fa.${params.kind ?? ''}`;
}
