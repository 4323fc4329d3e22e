import { LANE_RULES } from '../../src/limits/throttle.ts';
import { serveTeam } from '../account_recovery/stub_rooms.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { MortalStores } from '../support/mortal_stores.ts';
import { PASSWORD, type PageVisit, type PageWalk } from './page_visit.ts';
import { DAY, idOf, openContactLink, RECOVER } from './recover_states.ts';
import { SIGN_IN, upToCode } from './sign_in_states.ts';

const MINUTE = 60_000;
/** Behind the first commit that names the user: the new factor and all that follows from it. */
const BEHIND_ENROLMENT = 2;
/** The longest of what is waited for after a wrong code. */
const WAIT_MS = LANE_RULES.budgetMs;

/** The process dies as soon as the factor is there. The browser comes back when the turn of its visit is free again. */
async function enrolAndDie(visit: PageVisit, name: string, code: string): Promise<void> {
  const stores = new MortalStores(new Set([visit.scene.app.storage]));
  const owned = { userId: idOf(visit, name) };
  if (!(await stores.dying(owned, BEHIND_ENROLMENT, () => visit.giveCode(code)))) throw new Error('it lives');
  visit.wait(2 * MINUTE);
  await visit.page.goto(visit.page.url());
}

/** As many wrong codes in a row as a place may have, each when the wait after the last one is over. */
async function useUpCodes(visit: PageVisit, name: string): Promise<void> {
  const { app } = visit.scene;
  for (let time = 0; time < LANE_RULES.shutAt; time++) {
    visit.wait(WAIT_MS);
    await app.post(LOGIN, passwordLogin(name, `${PASSWORD} ${visit.wrongCode(name)}`));
  }
  visit.wait(WAIT_MS);
}

/** States that take a policy, a limit or a misfortune of their own. */
export const RARE_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'sign-in-set-up-expired',
      says: 'A set-up was open too long',
      reach: async (visit) => {
        await upToCode(visit, 'otis');
        await visit.pressToNext('setup.now');
        // Longer than one may take, and less than the sign-in is held.
        visit.wait(11 * MINUTE);
        await visit.giveCode(await visit.codeOfShownKey());
      },
    },
    {
      name: 'sign-in-set-up-no-codes',
      says: 'A set-up is done whose codes were never shown',
      reach: async (visit) => {
        await visit.pressToNext('setup.now');
        await enrolAndDie(visit, 'otis', await visit.codeOfShownKey());
      },
    },
  ],
  [
    {
      name: 'sign-in-set-up-app',
      says: 'A factor has to be set up, and only an app will do',
      reach: (visit) => upToCode(visit, 'theo'),
    },
    {
      name: 'sign-in-set-up-not-here',
      says: 'A factor has to be set up that this page cannot set up',
      reach: (visit) => upToCode(visit, 'vito'),
    },
  ],
  [
    {
      name: 'recover-offer-ends',
      says: 'What will happen where no one can be told, and the use of a device ends it',
      reach: async (visit) => {
        await visit.openOn(visit.scene.strict, RECOVER);
        await visit.givePassword('una');
      },
    },
    {
      name: 'sign-in-limited',
      says: 'Too many attempts from this network',
      reach: async (visit) => {
        await visit.openOn(visit.scene.strict, SIGN_IN);
        for (let time = 0; time < 3; time++) await visit.givePassword('bob', 'wrong');
      },
    },
  ],
];

/** Days go by: nothing of the states before is left then. */
export const LAST_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'recover-offer-all',
      says: 'What will happen, and everybody whom it can tell',
      isMain: true,
      reach: async (visit) => {
        const { app, telling } = visit.scene;
        await openContactLink(visit, 'gina', { voters: [idOf(visit, 'erin'), idOf(visit, 'nina')] });
        await visit.pressToNext('contactLink.confirm');
        serveTeam(app.stub, idOf(visit, 'kim'));
        // Until voters count.
        visit.wait(7 * DAY);
        await visit.openOn(telling, RECOVER);
        await visit.givePassword('gina');
      },
    },
  ],
  [
    {
      name: 'sign-in-code-shut',
      says: 'So many codes were wrong that only a recovery code will do',
      reach: async (visit) => {
        await useUpCodes(visit, 'erin');
        await upToCode(visit, 'erin');
        await visit.giveCode(visit.freshCode('erin'));
      },
    },
  ],
];
