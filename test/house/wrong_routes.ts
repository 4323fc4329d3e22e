import type { Handlers } from '../../src/gateway/app.ts';
import type { RouteRow } from '../../src/http/routes.ts';
import type { DeedTexts } from '../../src/pages/fallback/consequence_text.ts';

/** What must not compile: the recipes for routes in docs/architecture.md rest on it. `npm run check` reads this file. */

declare const handlers: Omit<Handlers, 'own_history'>;
// @ts-expect-error A route without a handler.
export const withoutHandler: Handlers = handlers;

declare const texts: Omit<DeedTexts, 'change_password'>;
// @ts-expect-error A deed without a text.
export const withoutText: DeedTexts = texts;

const guard = { shape: 'get_token_request' } as const;
// @ts-expect-error A guarded endpoint that does not say what it does.
export const withoutDeed: RouteRow = { door: 'guard', method: 'POST', path: 'account/something', guard };

const anyBody = {
  door: 'guard',
  method: 'POST',
  path: 'account/something',
  guard: {},
  deed: 'something',
} as const;
// @ts-expect-error A guarded endpoint whose body may be anything.
export const withoutShape: RouteRow = anyBody;

export const whole: RouteRow = {
  door: 'guard',
  method: 'POST',
  path: 'account/something',
  guard,
  deed: 'something',
};
