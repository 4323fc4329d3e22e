import './forms.js';
import { openAsked } from './asked_action.js';
import { showOverview } from './overview.js';
import { AccountPage } from './page.js';
import { endAsked } from './sessions.js';

const page = new AccountPage(showOverview);
void page.open().then(() => {
  openAsked(page);
  return endAsked(page);
});
