import './forms.js';
import { showOverview } from './overview.js';
import { AccountPage } from './page.js';

void new AccountPage(showOverview).open();
