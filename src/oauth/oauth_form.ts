import type { ClientRequest, RawRequest } from '../http/client_request.ts';
import { FORM_TYPE, type Form, readSingleFields } from '../http/form.ts';
import { Refusal } from '../matrix/refusals.ts';
import { OauthError } from './oauth_answer.ts';

/** By these a confidential client proves who it is (RFC 6749, section 2.3; RFC 7521). Here all clients are public. */
const PROOFS = ['client_secret', 'client_assertion', 'client_assertion_type'];

/**
 * Reads the form that a client sent to an endpoint of OAuth. A parameter without a value is none (RFC 6749, section 3.1).
 * @throws OauthError invalid_request if it is not a form, has a parameter twice, or is too long; invalid_client if the
 *   client proves who it is
 */
export async function readOauthForm({ raw, token }: ClientRequest): Promise<Form> {
  if (raw === undefined) throw new TypeError('the route is not raw');
  if (raw.contentType !== FORM_TYPE) throw malformed('The request must be a form.');
  const bytes = await readBytes(raw);
  const fields = readSingleFields(bytes.toString('latin1'));
  if (fields === undefined) throw malformed('Each parameter may stand in the request once, as ASCII.');
  // A bearer token proves nothing about the client, and is not looked at.
  if (token.kind === 'malformed')
    throw notPublic({ 'WWW-Authenticate': 'Basic realm="clients are public here"' });
  if (PROOFS.some((name) => fields.has(name))) throw notPublic({});
  return new Map([...fields].filter(([, value]) => value !== ''));
}

/**
 * The bytes of a body.
 * @throws OauthError invalid_request if it is too long or came too slowly
 */
export async function readBytes({ readBody }: RawRequest): Promise<Buffer> {
  try {
    return await readBody();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // What is left of the body would be taken for the next request.
    throw malformed('The request is too long, or came too slowly.', { Connection: 'close' });
  }
}

/** @throws OauthError invalid_request if it is missing */
export function requireField(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw malformed(`The parameter ${name} is missing.`);
  return value;
}

function malformed(text: string, headers: Readonly<Record<string, string>> = {}): OauthError {
  return new OauthError('invalid_request', text, { headers });
}

function notPublic(headers: Readonly<Record<string, string>>): OauthError {
  return new OauthError('invalid_client', 'Clients are public here: they prove nothing about themselves.', {
    headers,
  });
}
