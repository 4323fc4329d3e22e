import { POLICY_MODES } from '../config/settings.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { STANDINGS } from '../policy/listed_policy.ts';
import { CHANNELS } from '../storage/tables/notices.ts';

/*
 * The shapes of the admin API, as JSON Schemas (2020-12). Times are in ms since the epoch.
 */

const TIME = { type: 'integer', minimum: 0 };
const TIME_OR_NEVER = { type: ['integer', 'null'], minimum: 0 };
const COUNT = { type: 'integer', minimum: 0 };
const TEXT = { type: 'string' };
/** A number for each kind of factor. */
const BY_FACTOR = { type: 'object', additionalProperties: COUNT };
/** Blank texts say nothing. */
const GROUND = { type: 'string', minLength: 1, maxLength: 1000, pattern: '\\S' };

/** An object that has all of these members and no other. */
export function exactly(properties: JsonObject, optional: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    required: Object.keys(properties),
    properties: { ...properties, ...optional },
    additionalProperties: false,
  };
}

function listOf(items: JsonObject): JsonObject {
  return { type: 'array', items };
}

/** Why, and how it is known that it is the owner who asks. */
export const GROUNDS = exactly({ reason: GROUND, verified_by: GROUND });
export const RESET_ORDER = exactly(
  { reason: GROUND, verified_by: GROUND },
  {
    revoke_device_passwords: {
      type: 'boolean',
      description: 'Ends their device passwords too, and logs out the devices of these.',
    },
  },
);
export const REASON = exactly({}, { reason: GROUND });

/** What is asked of a user. */
const LISTED_POLICY = {
  policy: { enum: [...POLICY_MODES] },
  policy_source: {
    type: 'string',
    description: '`database`, `users`, `administrators`, `group:<name>` or `default`.',
  },
  deadline_ts: {
    type: ['integer', 'null'],
    description: 'When the grace is over; null where nothing is asked, or it has not begun.',
  },
  administrator: { type: ['boolean', 'null'], description: 'Null: the homeserver has not said.' },
  standing: { enum: [...STANDINGS] },
};

export const LISTED_USERS = exactly({
  users: listOf(
    exactly({
      user_id: TEXT,
      enabled: { type: 'boolean' },
      authenticators: COUNT,
      factors: BY_FACTOR,
      recovery_codes_remaining: COUNT,
      last_used_at: TIME_OR_NEVER,
      first_seen_at: TIME_OR_NEVER,
      last_seen_at: TIME_OR_NEVER,
      locked: { type: 'boolean' },
      ...LISTED_POLICY,
    }),
  ),
  next: { type: ['string', 'null'], description: 'What `after` is for the rest; null if there is none.' },
});

export const SHOWN_USER = exactly({
  user_id: TEXT,
  enabled: { type: 'boolean' },
  authenticators: listOf(exactly({ id: TEXT, name: TEXT, enabled_at: TIME, last_used_at: TIME_OR_NEVER })),
  recovery: {
    anyOf: [exactly({ remaining: COUNT, total: COUNT, generated_at: TIME }), { type: 'null' }],
  },
  locked: { type: 'boolean' },
  lanes: listOf(exactly({ lane: TEXT, failures: COUNT, wait_until: COUNT, shut: { type: 'boolean' } })),
  held_logins: COUNT,
  recovery_request: { anyOf: [exactly({ state: TEXT, begun_at: TIME }), { type: 'null' }] },
  device_passwords: listOf(
    exactly({
      id: TEXT,
      name: TEXT,
      device_id: TEXT,
      created_at: COUNT,
      last_used_at: { type: ['integer', 'null'], minimum: 0 },
      last_used_address: { type: ['string', 'null'] },
    }),
  ),
  oauth_sessions: listOf(
    exactly({ client_id: TEXT, device_id: TEXT, created_at: COUNT, last_used_at: COUNT }),
  ),
  ...LISTED_POLICY,
});

const MODE = { enum: [...POLICY_MODES, null] };
export const POLICY = exactly(
  { mode: MODE },
  {
    grace: {
      type: 'string',
      description: 'As in `7d`, from their next sign-in on; or a date.',
      maxLength: 20,
    },
  },
);
export const POLICY_SET = exactly({ mode: MODE });

export const UNLOCKED = exactly({ failures: COUNT });
export const RESET = exactly({
  authenticators: COUNT,
  device_passwords: { ...COUNT, description: 'Those that were revoked.' },
});
export const EMERGENCY_CODE = exactly({
  code: { type: 'string', description: 'Good once; it is not shown again.' },
  expires_at: TIME,
});

const REMARKS = listOf(exactly({ place: TEXT, user: TEXT, why: TEXT }));
export const IMPORTED = exactly({
  imported: { ...COUNT, description: 'Users; 0 where there are errors, as nothing is written then.' },
  skipped: REMARKS,
  errors: REMARKS,
});

export const DEAD_LETTERS = exactly({
  dead_letters: listOf(
    exactly({
      id: TEXT,
      channel: { enum: [...CHANNELS] },
      event: TEXT,
      user_id: TEXT,
      at: TIME,
      attempts: COUNT,
      failure: { type: ['string', 'null'] },
    }),
  ),
});
const TEXT_OR_NONE = { type: ['string', 'null'] };
const NUMBER_OR_NONE = { type: ['integer', 'null'] };
export const ENTRIES = exactly({
  entries: listOf(
    exactly({
      chain: NUMBER_OR_NONE,
      n: NUMBER_OR_NONE,
      at: TIME,
      event: TEXT,
      user_id: TEXT_OR_NONE,
      actor: TEXT_OR_NONE,
      address: TEXT_OR_NONE,
      device_id: TEXT_OR_NONE,
      request_id: TEXT_OR_NONE,
      detail: { type: 'object' },
      mac: TEXT_OR_NONE,
    }),
  ),
  next: { ...NUMBER_OR_NONE, description: 'What `after` is for the rest; null if there is none yet.' },
});
export const REPORT = exactly({
  generated_at: TIME,
  users: exactly({
    ...{ known: COUNT, enabled: COUNT, without: COUNT, by_factor: BY_FACTOR },
    ...{ no_recovery_codes: COUNT, locked: COUNT },
  }),
  policy: exactly({
    ...{ required: COUNT, optional: COUNT, forbidden: COUNT },
    ...{ in_grace: COUNT, overdue: COUNT, cannot_enrol: COUNT },
  }),
  months: listOf(
    exactly({
      month: { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}$' },
      ...{ resets: COUNT, emergency_codes: COUNT, recovery_codes_used: COUNT },
      ...{ enabled: COUNT, disabled: COUNT },
    }),
  ),
});
export const RECOVERIES = exactly({
  requests: listOf(
    exactly({
      ...{ id: TEXT, user_id: TEXT },
      state: { enum: ['waiting', 'open', 'cancelled', 'refused', 'finished', 'expired'] },
      ...{ begun_at: TIME, wait_ms: COUNT, counted_ms: COUNT, vouched: { type: 'boolean' } },
      ...{ opened_at: TIME_OR_NEVER, closes_at: TIME_OR_NEVER, ended_at: TIME_OR_NEVER },
      ...{ ended_by: TEXT_OR_NONE, ended_who: TEXT_OR_NONE, reason: TEXT_OR_NONE },
    }),
  ),
});
export const RECOVERY_DECIDED = exactly({ id: TEXT });

export const RETRIED = exactly({ retried: COUNT });

export const ERROR = {
  type: 'object',
  required: ['errcode', 'error'],
  properties: { errcode: TEXT, error: TEXT, retry_after_ms: COUNT },
};
