import type { RecoverySetUp } from '../../account/recovery_set_up.ts';
import { CancelLinks } from '../../account_recovery/cancel_links.ts';
import type { PageRecovery } from '../../login/page_recovery.ts';
import type { FormPages } from '../../pages/forms/form_pages.ts';
import type { FormTokens } from '../../pages/forms/form_tokens.ts';
import { Visits } from '../../pages/forms/visits.ts';
import { CancelPage } from '../../pages/recover/cancel_page.ts';
import { RecoverPage } from '../../pages/recover/recover_page.ts';
import { RecoverProofs, type RecoverProofsDeps } from '../../pages/recover/recover_proofs.ts';
import { RecoverSteps, type RecoverStepsDeps } from '../../pages/recover/recover_steps.ts';
import { RecoverViews, type RecoverViewsDeps } from '../../pages/recover/recover_views.ts';
import type { RecoverVisit } from '../../pages/recover/recover_visit.ts';
import { SetUpPages } from '../../pages/set_up/set_up_pages.ts';
import { systemPause } from '../../system/pause.ts';
import type { SharedServices } from './shared.ts';

/** The pages of account recovery. They are 404 where it is off. */
export function recoverPages(
  shared: SharedServices,
  finish: RecoverySetUp,
  parts: Omit<RecoverStepsDeps & RecoverProofsDeps & RecoverViewsDeps, 'door' | 'setUp' | 'proofs'> & {
    readonly pages: FormPages;
    readonly formTokens: FormTokens;
    readonly recovery: PageRecovery | undefined;
  },
) {
  const { recovery: door, pages } = parts;
  const deps = { ...parts, door, setUp: new SetUpPages(finish), proofs: new RecoverProofs(parts) };
  const links = new CancelLinks({ ...shared, ...shared.recovery });
  return {
    recoverPage: new RecoverPage({
      ...{ pages, door, steps: new RecoverSteps(deps), views: new RecoverViews(deps) },
      visits: new Visits<RecoverVisit>(
        { ...shared, tokens: parts.formTokens, pause: systemPause },
        'recover',
      ),
    }),
    cancelPage: new CancelPage(links, pages, shared.recovery.enabled),
  };
}
