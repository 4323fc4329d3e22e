import type { ClientRequest } from '../../http/client_request.ts';
import type { AskedByApp } from '../../login/page_access.ts';
import type { AuthorizationError } from '../../oauth/authorization_answer.ts';
import type { AuthorizationRequest, AuthorizationRequests } from '../../oauth/authorization_request.ts';
import type { LinkedDevice, LinkTargets } from '../link/link_targets.ts';
import { queryOf, type RedirectTarget } from '../sign_in/redirect_targets.ts';

/** What asks for access to an account: an app in this browser, or a device that waits elsewhere. */
export type AccessRequest =
  | { readonly by: 'app'; readonly request: AuthorizationRequest; readonly asked: AskedByApp }
  | { readonly by: 'device'; readonly device: LinkedDevice; readonly asked: AskedByApp };

/** What is to be said of it. */
export type JudgedAccess = { readonly is: 'fine'; readonly access: AccessRequest } | AccessFault | undefined;

export type AccessFault =
  /** The client, or where it wants to go, is not known. */
  | { readonly is: 'unknown' }
  /** The device waits no more, or not for this browser. */
  | { readonly is: 'gone' }
  | { readonly is: 'faulty'; readonly error: AuthorizationError; readonly href: string };

/** Judges what asks for access, each time. */
export class AccessRequests {
  constructor(
    private readonly deps: {
      readonly requests: AuthorizationRequests;
      readonly links: LinkTargets;
    },
  ) {}

  /** Undefined for a target that asks for nothing. */
  async judge(request: ClientRequest, target: RedirectTarget): Promise<JudgedAccess> {
    if (target.kind === 'authorize') return this.judgeApp(queryOf(target));
    if (target.kind !== 'link') return undefined;
    const device = await this.deps.links.find(request, queryOf(target));
    if (device === undefined) return { is: 'gone' };
    const { idHash, clientId, deviceId, name: appName } = device;
    return { is: 'fine', access: { by: 'device', device, asked: { idHash, clientId, deviceId, appName } } };
  }

  private async judgeApp(query: string): Promise<JudgedAccess> {
    const judged = await this.deps.requests.judge(query);
    if (judged.is !== 'fine') return judged;
    const { request } = judged;
    return { is: 'fine', access: { by: 'app', request, asked: askedIn(request) } };
  }
}

function askedIn({ client, back, scope, challenge, nonce }: AuthorizationRequest): AskedByApp {
  const { redirectUri } = back;
  const { granted, deviceId } = scope;
  return {
    ...{ clientId: client.clientId, redirectUri, scope: granted, deviceId, challenge, nonce },
    appName: client.name,
  };
}
