import type { Personality, UiaRules } from '../personality.ts';
import { tuwunel } from './tuwunel.ts';

const BAD_JSON = { status: 400, errcode: 'M_BAD_JSON' };
const INVALID_PARAM = { status: 400, errcode: 'M_INVALID_PARAM' };
const INTERNAL = { status: 500, errcode: 'M_UNKNOWN' };
const CLIENT = ['r0', 'v3'];

/** In a challenge of its own. */
const NOT_YOURS = { status: 401, errcode: 'M_INVALID_PARAM', inChallenge: true } as const;

const { jwt: _jwt, ...ofTuwunel } = tuwunel.uia.devices;

const uia: UiaRules = {
  ...ofTuwunel,
  params: 'null',
  nullAuth: 'challenge',
  unknownStage: INVALID_PARAM,
  dummyCompletes: false,
  noIdentifier: BAD_JSON,
  topLevelUser: BAD_JSON,
  inventedSession: INVALID_PARAM,
  sessionOfOtherUser: NOT_YOURS,
  finishedSessionAlone: INVALID_PARAM,
  finishedSessionWithPassword: INVALID_PARAM,
  otherUser: NOT_YOURS,
  missingBody: 'challenge',
};

/** continuwuity 26.8.0-alpha.1 with its own OAuth in the default mode ("hybrid"): tuwunel's relative, with differences. */
export const continuwuity: Personality = {
  ...tuwunel,
  name: 'continuwuity',
  routing: {
    ...tuwunel.routing,
    prefixes: {
      ...tuwunel.routing.prefixes,
      refresh: [],
      threepid_add: CLIENT,
      device_signing: ['v3', 'unstable'],
    },
    adminPaths: ['/_continuwuity/'],
  },
  json: { ...tuwunel.json, fraction: 'accepted', hugeInteger: 'accepted', overflowingNumber: 'refused' },
  tokens: {
    ...tuwunel.tokens,
    twoBlanks: { status: 401, errcode: 'M_MISSING_TOKEN' },
    refreshableLifetime: undefined,
    refresh: undefined,
  },
  login: {
    ...tuwunel.login,
    flows: tuwunel.login.flows.filter(({ type }) => type !== 'org.matrix.login.jwt'),
    missingType: INTERNAL,
    foldsNames: false,
    unknownUser: { status: 404, errcode: 'M_NOT_FOUND' },
  },
  uia: {
    devices: uia,
    deactivate: uia,
    password: uia,
    device_signing: uia,
    threepid_add: uia,
    get_token: uia,
  },
  uiaFlows: [['m.login.password']],
  account: {
    ...tuwunel.account,
    passwordWithoutToken: 'reset_by_email',
    passwordStageAtReset: INVALID_PARAM,
    unvalidatedAddress: { status: 403, errcode: 'M_THREEPID_AUTH_FAILED' },
  },
  keys: {
    ...tuwunel.keys,
    subsetWithMaster: 'challenge',
    subsetWithoutMaster: 'challenge',
    noKeys: 'challenge',
  },
  register: { ...tuwunel.register, nameTaken: 'at_the_end' },
  nativeOauth: true,
};
