import { appserviceCheck } from './appservice_check.ts';
import type { Check } from './check.ts';
import { bodySizeCheck, timeoutsCheck, tlsCheck } from './connection_checks.ts';
import { configCheck, filesCheck } from './file_checks.ts';
import {
  clockCheck,
  contactCheck,
  homeserverCheck,
  nativeOauthCheck,
  passwordLoginCheck,
  rcLoginCheck,
  xForwardedCheck,
} from './homeserver_checks.ts';
import { listenersCheck } from './later_checks.ts';
import { notifyCheck } from './notify_check.ts';
import { oauthCheck } from './oauth_check.ts';
import { nativePagesCheck, oddTargetsCheck, wellKnownCheck } from './page_checks.ts';
import { homeserverPortCheck } from './port_check.ts';
import { keysCheck, markCheck, processesCheck, schemaCheck, storeCheck } from './store_checks.ts';
import { clientAddressCheck, publicPathCheck, routesCheck } from './way_checks.ts';

/** All checks in the order in which they are reported: what comes first is often why later ones are skipped. */
export const CHECKS: readonly Check[] = [
  configCheck,
  filesCheck,
  storeCheck,
  schemaCheck,
  keysCheck,
  markCheck,
  processesCheck,
  homeserverCheck,
  passwordLoginCheck,
  nativeOauthCheck,
  rcLoginCheck,
  xForwardedCheck,
  clockCheck,
  contactCheck,
  publicPathCheck,
  routesCheck,
  clientAddressCheck,
  homeserverPortCheck,
  wellKnownCheck,
  nativePagesCheck,
  oddTargetsCheck,
  tlsCheck,
  bodySizeCheck,
  timeoutsCheck,
  listenersCheck,
  appserviceCheck,
  notifyCheck,
  oauthCheck,
];

/** What `check-config --online` asks: nothing that needs a running `serve`. */
export const ONLINE_IDS: readonly string[] = [
  'store',
  'keys',
  'homeserver',
  'password-login',
  'native-oauth',
  'clock',
  'contact',
];
