import { ACCESS_WALKS } from './access_states.ts';
import { ACCOUNT_WALKS } from './account_states.ts';
import { APPROVE_WALKS } from './approve_states.ts';
import { ERROR_WALKS, LATE_WALKS } from './error_states.ts';
import type { PageWalk } from './page_visit.ts';
import { LAST_WALKS, RARE_WALKS } from './rare_states.ts';
import { RECOVER_WALKS, WHOLE_RECOVERY } from './recover_states.ts';
import { SIGN_IN_WALKS } from './sign_in_states.ts';

/** All states that a test reaches and that `npm run pages` photographs. A further one is a further entry. */
export const PAGE_WALKS: readonly PageWalk[] = [
  ...SIGN_IN_WALKS,
  ...ACCESS_WALKS,
  ...APPROVE_WALKS,
  ...ERROR_WALKS,
  ...RARE_WALKS,
  ...RECOVER_WALKS,
  ...ACCOUNT_WALKS,
  ...LATE_WALKS,
  WHOLE_RECOVERY,
  ...LAST_WALKS,
];
