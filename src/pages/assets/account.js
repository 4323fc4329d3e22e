import { showOverview } from './overview.js';
import { AccountPage } from './page.js';
import { showSignIn } from './sign_in.js';

const page = new AccountPage({ signIn: showSignIn, overview: showOverview });
showSignIn(page);
