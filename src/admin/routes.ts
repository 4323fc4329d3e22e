import { POLICY_MODES } from '../config/settings.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { IMPORT_FORMATS, LONGEST_IMPORT_BYTES } from '../rescue/import/read_import.ts';
import {
  DEAD_LETTERS,
  EMERGENCY_CODE,
  ENTRIES,
  GROUNDS,
  IMPORTED,
  LISTED_USERS,
  POLICY,
  POLICY_SET,
  REASON,
  RECOVERIES,
  RECOVERY_DECIDED,
  REPORT,
  RESET,
  RESET_ORDER,
  RETRIED,
  SHOWN_USER,
  UNLOCKED,
} from './shapes.ts';
import type { Scope } from './token_file.ts';

/** A parameter of a query, as a JSON Schema; its type says how its text is read. */
export interface QueryParameter {
  readonly required?: true;
  readonly about: string;
  readonly schema: { readonly type: 'string' | 'integer' | 'boolean' } & JsonObject;
}

/** A row for each route: all that is told of it, and what is checked before its handler is called. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/_2fa/admin/v1`; `{id}` is percent-encoded: below `/users` a user id. */
  readonly path: string;
  /** None: any token may. */
  readonly scope?: Scope;
  readonly about: string;
  readonly query: Readonly<Record<string, QueryParameter>>;
  /** The shape of the JSON body; `file` for bytes that go on as they are; none: no body. */
  readonly body?: JsonObject | 'file';
  readonly mostBytes: number;
  readonly answer: JsonObject;
}

export const ADMIN_PREFIX = '/_2fa/admin/v1';
const MOST_BYTES = 64 * 1024;
const PAGE_LIMIT: QueryParameter = {
  about: 'At most so many.',
  schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
};

export const ADMIN_ROUTES = {
  listUsers: {
    method: 'GET',
    path: '/users',
    scope: 'users:read',
    about: 'The users who were seen here, by id, with their second factors.',
    query: {
      with_2fa: { about: 'Only those who have it on.', schema: { type: 'boolean' } },
      without_2fa: { about: 'Only those who have it off.', schema: { type: 'boolean' } },
      no_codes: {
        about: 'Only those with it on who have no recovery code left.',
        schema: { type: 'boolean' },
      },
      locked: {
        about: 'Only those whose codes are not looked at in some lane.',
        schema: { type: 'boolean' },
      },
      policy: {
        about: 'Only those of whom this is asked.',
        schema: { type: 'string', enum: [...POLICY_MODES] },
      },
      in_grace: {
        about: 'Only those who have to set up a second factor, but not yet.',
        schema: { type: 'boolean' },
      },
      overdue: {
        about: 'Only those who have to set it up before their next sign-in.',
        schema: { type: 'boolean' },
      },
      factor: { about: 'Only those with a factor of this kind.', schema: { type: 'string' } },
      search: { about: 'Only those whose id has this in it.', schema: { type: 'string' } },
      limit: PAGE_LIMIT,
      after: { about: 'Only those behind this id: `next` of the page before.', schema: { type: 'string' } },
    },
    mostBytes: MOST_BYTES,
    answer: LISTED_USERS,
  },
  showUser: {
    method: 'GET',
    path: '/users/{id}',
    scope: 'users:read',
    about: 'The state of one user, as `user show --json` has it.',
    query: {},
    mostBytes: MOST_BYTES,
    answer: SHOWN_USER,
  },
  unlockUser: {
    method: 'POST',
    path: '/users/{id}/unlock',
    scope: 'users:write',
    about: 'Ends the waits that wrong codes brought upon a user.',
    query: {},
    body: REASON,
    mostBytes: MOST_BYTES,
    answer: UNLOCKED,
  },
  setPolicy: {
    method: 'PUT',
    path: '/users/{id}/policy',
    scope: 'users:write',
    about: 'Sets whether a user must have a second factor; null: what the configuration says.',
    query: {},
    body: POLICY,
    mostBytes: MOST_BYTES,
    answer: POLICY_SET,
  },
  resetUser: {
    method: 'POST',
    path: '/users/{id}/reset',
    scope: 'users:rescue',
    about: 'Removes every second factor of a user: the password alone signs in then.',
    query: {},
    body: RESET_ORDER,
    mostBytes: MOST_BYTES,
    answer: RESET,
  },
  giveEmergencyCode: {
    method: 'POST',
    path: '/users/{id}/emergency_code',
    scope: 'users:rescue',
    about: 'Makes a code that stands in for the second factor of a user once, within 24 hours.',
    query: {},
    body: GROUNDS,
    mostBytes: MOST_BYTES,
    answer: EMERGENCY_CODE,
  },
  importUsers: {
    method: 'POST',
    path: '/users/import',
    scope: 'users:rescue',
    about: 'Takes over authenticators of another program: all users of the file in the body, or none.',
    query: {
      from: {
        required: true,
        about: 'Who wrote the file.',
        schema: { type: 'string', enum: [...IMPORT_FORMATS] },
      },
      dry_run: { about: 'Look at the file and write nothing.', schema: { type: 'boolean', default: false } },
      server_name: {
        about: 'What stands behind the colon of user ids, for names without it.',
        schema: { type: 'string', pattern: '^[A-Za-z0-9.:\\[\\]-]{1,230}$' },
      },
    },
    body: 'file',
    mostBytes: LONGEST_IMPORT_BYTES,
    answer: IMPORTED,
  },
  listEntries: {
    method: 'GET',
    path: '/audit',
    scope: 'audit:read',
    about: 'Entries of the audit, the oldest first.',
    query: {
      limit: PAGE_LIMIT,
      after: { about: '`next` of the page before.', schema: { type: 'integer', minimum: 0 } },
      user: { about: 'Of this user.', schema: { type: 'string' } },
      event: {
        about: 'These events, with commas between them.',
        schema: { type: 'string', maxLength: 1000 },
      },
      actor: { about: 'By `user`, `operator`, `admin:<name>`, ….', schema: { type: 'string' } },
      since: { about: 'From then on, in ms since the epoch.', schema: { type: 'integer', minimum: 0 } },
      until: { about: 'Before then.', schema: { type: 'integer', minimum: 0 } },
    },
    mostBytes: MOST_BYTES,
    answer: ENTRIES,
  },
  report: {
    method: 'GET',
    path: '/report',
    scope: 'audit:read',
    about: 'How many users have a second factor, and what happened each month.',
    query: {
      months: {
        about: 'How many months, this one included.',
        schema: { type: 'integer', minimum: 1, maximum: 120, default: 12 },
      },
    },
    mostBytes: MOST_BYTES,
    answer: REPORT,
  },
  listRecoveries: {
    method: 'GET',
    path: '/recovery_requests',
    scope: 'recovery',
    about:
      'Account recoveries, the newest first; 404 where `account_recovery.enabled` is off, as all of them.',
    query: {
      running: { about: 'Only those that run.', schema: { type: 'boolean', default: true } },
      limit: PAGE_LIMIT,
    },
    mostBytes: MOST_BYTES,
    answer: RECOVERIES,
  },
  showRecoveries: {
    method: 'GET',
    path: '/users/{id}/recovery_requests',
    scope: 'recovery',
    about: 'All account recoveries of one user, the newest first.',
    query: {},
    mostBytes: MOST_BYTES,
    answer: RECOVERIES,
  },
  approveRecovery: {
    method: 'POST',
    path: '/users/{id}/recovery_requests/approve',
    scope: 'recovery',
    about: 'Lets a user finish the account recovery that waits, now.',
    query: {},
    body: GROUNDS,
    mostBytes: MOST_BYTES,
    answer: RECOVERY_DECIDED,
  },
  denyRecovery: {
    method: 'POST',
    path: '/users/{id}/recovery_requests/deny',
    scope: 'recovery',
    about: 'Ends the account recovery of a user that runs.',
    query: {},
    body: GROUNDS,
    mostBytes: MOST_BYTES,
    answer: RECOVERY_DECIDED,
  },
  listDeadLetters: {
    method: 'GET',
    path: '/notices/dead_letters',
    scope: 'notices',
    about: 'The notices that were given up, the newest first.',
    query: {},
    mostBytes: MOST_BYTES,
    answer: DEAD_LETTERS,
  },
  retryDeadLetter: {
    method: 'POST',
    path: '/notices/dead_letters/{id}/retry',
    scope: 'notices',
    about: 'Lets a notice that was given up be tried again.',
    query: {},
    mostBytes: MOST_BYTES,
    answer: RETRIED,
  },
  describe: {
    method: 'GET',
    path: '/openapi.json',
    about: 'This description.',
    query: {},
    mostBytes: MOST_BYTES,
    answer: { type: 'object' },
  },
} as const satisfies Readonly<Record<string, AdminRoute>>;

export type AdminRouteId = keyof typeof ADMIN_ROUTES;

/** Those of the recovery of accounts, which may be off. */
export type RecoveryRouteId = {
  [Id in AdminRouteId]: (typeof ADMIN_ROUTES)[Id] extends { readonly scope: 'recovery' } ? Id : never;
}[AdminRouteId];

/** A route of which the path is known, with the text in the place of `{id}`. */
export interface MatchedRoute {
  readonly id: AdminRouteId;
  readonly route: AdminRoute;
  readonly segment: string | undefined;
}

/** The routes that have this path: one for each method, those without `{id}` first. */
export function routesOf(path: string): MatchedRoute[] {
  const asked = path.split('/');
  return (Object.keys(ADMIN_ROUTES) as AdminRouteId[])
    .flatMap((id) => {
      const route: AdminRoute = ADMIN_ROUTES[id];
      const wanted = (ADMIN_PREFIX + route.path).split('/');
      const fits =
        wanted.length === asked.length &&
        wanted.every((each, at) => (each === '{id}' ? asked[at] !== '' : each === asked[at]));
      const at = wanted.indexOf('{id}');
      return fits ? [{ id, route, segment: at === -1 ? undefined : asked[at] }] : [];
    })
    .sort((one, other) => Number(one.segment !== undefined) - Number(other.segment !== undefined));
}
