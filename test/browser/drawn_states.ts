import type { SetUpKind } from '../../src/account/session_set_ups.ts';
import type { PageStanding } from '../../src/login/page_standing.ts';
import { codesCard, offerCard } from '../../src/pages/set_up/set_up_cards.ts';
import { html } from '../../src/pages/shell/html.ts';
import { codeCard, credentialsCard } from '../../src/pages/sign_in/sign_in_cards.ts';
import type { Say } from '../../src/pages/texts/texts.ts';
import type { PageWalk } from './page_visit.ts';

const TARGET = { href: 'https://app.example.org/', kind: 'site', name: 'app.example.org' } as const;
const CARD = { hidden: html``, action: '', way: { target: TARGET } };
const APP: SetUpKind = { kind: 'totp', is: 'secret' };

const setUpCard = (say: Say) => ({ say, tokenField: html``, place: { session: '', kinds: [APP] } });

/**
 * States as their views draw them: one takes a hundred wrong codes, one a network that has made too many attempts, one a
 * server that died at one moment, and one a factor of another.
 */
export const DRAWN_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'sign-in-limited',
      says: 'Too many attempts from this network',
      isOnce: true,
      reach: (visit) =>
        visit.draw((say) =>
          credentialsCard({
            ...{ ...CARD, say, name: 'alice', field: undefined, server: 'matrix.example.org' },
            problem: say('signIn.limited', { time: say('time.minutes', { count: 2 }) }),
          }),
        ),
    },
    {
      name: 'sign-in-code-shut',
      says: 'So many codes were wrong that only a recovery code will do',
      isOnce: true,
      reach: (visit) =>
        visit.draw((say) => {
          const standing = {
            userId: '@bob:localhost',
            factors: [{ kind: 'recovery', role: 'backup' }],
            asked: [],
          };
          return codeCard({
            ...{ ...CARD, say, language: 'en', refused: undefined },
            ...{ canRecover: false, recovery: undefined },
            standing: standing as unknown as PageStanding,
            problem: say('code.shut'),
          });
        }),
    },
    {
      name: 'sign-in-set-up-no-codes',
      says: 'A set-up is done whose codes were never shown',
      isOnce: true,
      reach: (visit) =>
        visit.draw((say) =>
          codesCard({ ...setUpCard(say), codes: [], sheet: undefined, problem: undefined }),
        ),
    },
    {
      name: 'sign-in-set-up-not-here',
      says: 'A factor has to be set up that this page cannot set up',
      isOnce: true,
      reach: (visit) =>
        visit.draw((say) =>
          offerCard({ ...setUpCard(say), place: { session: '', kinds: [] }, problem: undefined }),
        ),
    },
    {
      name: 'sign-in-set-up-expired',
      says: 'A set-up was open too long',
      isOnce: true,
      reach: (visit) => visit.draw((say) => offerCard({ ...setUpCard(say), problem: say('setup.expired') })),
    },
  ],
];
