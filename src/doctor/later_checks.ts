import { type InsideCheck, skipped } from './check.ts';

/** What this version does not have yet: each says what its being off means. */
export const listenersCheck: InsideCheck = {
  id: 'listeners',
  about: 'metrics and administration are not on a public address',
  outside: false,
  run: async () => skipped('neither metrics nor administration has a listener of its own'),
};

export const appserviceCheck: InsideCheck = {
  id: 'appservice',
  about: 'the application service of this proxy works',
  outside: false,
  run: async () => skipped('it is off: this proxy is not an application service of the homeserver'),
};

export const notifyCheck: InsideCheck = {
  id: 'notify',
  about: 'notices can be delivered',
  outside: false,
  run: async () => skipped('it is off: users are not notified of changes'),
};

export const oauthCheck: InsideCheck = {
  id: 'oauth',
  about: 'the OAuth login of this proxy works',
  outside: false,
  run: async () => skipped('it is off: clients that know OAuth alone cannot sign in'),
};
