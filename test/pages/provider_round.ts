import { expect } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import { call, type HttpAnswer } from '../support/http.ts';

export const CLIENT = 'https://app.example.net/';
/** Where a client's button for the provider `oidc` leads. */
export const LEAD = `/_matrix/client/v3/login/sso/redirect/oidc?redirectUrl=${encodeURIComponent(CLIENT)}`;

/** Follows a redirect to the provider, whose session stands, and tells where it sends the browser back to. */
export async function throughProvider({ stub }: TestApp, answer: HttpAnswer): Promise<string> {
  expect(answer.status).toBe(303);
  const provider = new URL(answer.headers.location ?? '');
  expect(provider.origin).toBe(stub.url);
  const back = await call(stub.url, { target: provider.pathname + provider.search });
  const address = new URL(back.headers.location ?? '');
  expect(address.origin).toBe('https://matrix.example.org');
  return address.pathname + address.search;
}
