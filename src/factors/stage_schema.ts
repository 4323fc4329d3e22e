import type { JsonObject } from '../matrix/wire.ts';
import type { FactorDescription } from './description.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const FOLDER = 'https://matrix-2fa-proxy.invalid/schemas/';

/** The head of a schema under `schemas/`. */
export function schemaHead(name: string): { $schema: string; $id: string } {
  return { $schema: DIALECT, $id: `${FOLDER}${name}.json` };
}

/** The name of the schema of a factor's stage. */
export function stageSchemaName({ kind }: Pick<FactorDescription, 'kind'>): string {
  return `stage_${kind}`;
}

/** The schema of `auth` for the stage of a factor. */
export function stageSchema(factor: FactorDescription): JsonObject {
  const { stage, about, authSchema } = factor;
  return {
    ...schemaHead(stageSchemaName(factor)),
    title: `Stage ${stage}`,
    description: about,
    type: 'object',
    required: ['type'],
    properties: { type: { const: stage }, session: { type: ['string', 'null'] }, ...authSchema },
  };
}
