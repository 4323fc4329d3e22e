import type { PageStanding } from '../../src/login/page_standing.ts';
import { doneCard } from '../../src/pages/fallback/fallback_cards.ts';
import { html } from '../../src/pages/shell/html.ts';
import { codeCard, credentialsCard } from '../../src/pages/sign_in/sign_in_cards.ts';
import type { PageWalk } from './page_visit.ts';

const TARGET = { href: 'https://app.example.org/', kind: 'site', name: 'app.example.org' } as const;
const CARD = { hidden: html``, action: '', way: { target: TARGET } };

/**
 * States as their views draw them: one takes a hundred wrong codes, one a network that has made too many attempts, and one
 * closes the window that it is in.
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
      name: 'approve-done',
      says: 'The fallback page: all is proven, and the client did not close it',
      isOnce: true,
      reach: (visit) => visit.draw((say) => doneCard(say)),
    },
    {
      name: 'approve-done-recovery',
      says: 'The same after a recovery code: what is left is told, and the page stays',
      isOnce: true,
      reach: (visit) => visit.draw((say) => doneCard(say, 7)),
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
  ],
];
