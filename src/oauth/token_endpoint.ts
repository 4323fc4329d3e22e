import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { Form } from '../http/form.ts';
import { OauthError } from './oauth_answer.ts';
import { requireField } from './oauth_form.ts';

/** What answers the form of an OAuth client. */
export interface FormHandler {
  handle(request: ClientRequest, form: Form): Promise<Answer>;
}

/** `POST /_2fa/oauth2/token` (RFC 6749, section 3.2). */
export class TokenEndpoint implements FormHandler {
  /** @param grants by `grant_type` */
  constructor(private readonly grants: ReadonlyMap<string, FormHandler>) {}

  /** @throws OauthError invalid_request, unsupported_grant_type, and as the grant */
  async handle(request: ClientRequest, form: Form): Promise<Answer> {
    const grant = this.grants.get(requireField(form, 'grant_type'));
    if (grant === undefined)
      throw new OauthError('unsupported_grant_type', 'This grant type is not known here.');
    return grant.handle(request, form);
  }
}
