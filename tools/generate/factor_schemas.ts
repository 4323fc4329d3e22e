import { schemaHead, stageSchema, stageSchemaName } from '../../src/factors/factors.ts';
import { createFactors, type ListedFactorDeps } from '../../src/factors/list.ts';
import { type JsonObject, PASSWORD_STAGE, SSO_STAGE } from '../../src/matrix/wire.ts';
import type { Product } from './product.ts';

/** The stages that no factor judges, and their schemas. */
const OTHER_STAGES = [
  [PASSWORD_STAGE, 'stage_password'],
  [SSO_STAGE, 'stage_sso'],
  ['m.login.token', 'stage_token'],
] as const;

const AUTH = {
  ...schemaHead('auth'),
  title: 'Authentication data',
  description:
    'The `auth` object of a request under User-Interactive Authentication. `null` and `{}` count as absent.',
  type: ['object', 'null'],
  properties: {
    type: {
      description:
        'The stage that the client is attempting. Absent when it asks for the present state of its session.',
      type: ['string', 'null'],
    },
    session: {
      description: 'The session that the server gave. `null` counts as absent.',
      type: ['string', 'null'],
    },
  },
};

/** A factor says what it is without anything of what it is made of but the digits of its codes. */
const NOTHING = { totp: { digits: 6 } } as unknown as ListedFactorDeps;

/** `auth.json`, and a schema for the stage of each factor of the list. */
export function factorSchemas(): Product[] {
  const factors = createFactors(NOTHING).all;
  const stages = [
    ...factors.map((factor) => [factor.stage, stageSchemaName(factor)] as const),
    ...OTHER_STAGES,
  ];
  return [
    { file: 'schemas/auth.json', content: { ...AUTH, allOf: stages.map(branchOn) } },
    ...factors.map((factor) => ({
      file: `schemas/${stageSchemaName(factor)}.json`,
      content: stageSchema(factor),
    })),
  ];
}

function branchOn([stage, schema]: readonly [string, string]): JsonObject {
  return {
    if: { type: 'object', required: ['type'], properties: { type: { const: stage } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { $ref: `${schema}.json` },
  };
}
