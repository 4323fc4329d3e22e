import { readDevicePassword } from '../matrix/device_password.ts';
import { compileShape } from '../matrix/registry.ts';
import { ENROLMENT_STAGE, type JsonObject, OWN_STAGES, type SecondFactorStage } from '../matrix/wire.ts';
import type { Enrolled } from '../storage/tables/authenticators.ts';
import type { FactorDescription, FactorPage } from './description.ts';
import type { Factor, LoneFactor } from './factor.ts';
import { type GivenCode, readGivenCode } from './given_code.ts';

/** A factor by which users can sign in alone. */
export interface SignInFactor {
  readonly kind: string;
  readonly alone: LoneFactor;
  readonly page: FactorPage;
}

/** A code as it was typed, and the factor whose codes look like it. */
export interface TypedCode {
  readonly factor: Factor;
  readonly proof: GivenCode;
}

/** A password field that may hold a password and a code. */
export interface AppendedCode extends TypedCode {
  /** What stands before the code. */
  readonly password: string;
}

/** `m.login.2fa.enrol` is not the stage of a factor. */
const NOT_A_KIND = ENROLMENT_STAGE.slice(OWN_STAGES.length);

/** The factors, found by what is on the wire. */
export class Factors {
  readonly all: readonly Factor[];
  /** Those that the operator has not turned off. */
  readonly offered: readonly Factor[];
  private readonly checks = new Map<Factor, (auth: JsonObject) => void>();

  /** @throws RangeError if a kind is not a word for paths, or two factors share a name */
  constructor(factors: readonly Factor[]) {
    this.all = [
      ...factors.filter(({ role }) => role === 'primary'),
      ...factors.filter(({ role }) => role === 'backup'),
    ];
    this.offered = this.all.filter(({ isOff }) => isOff !== true);
    const odd = factors.find(({ kind }) => !/^[a-z0-9_]{1,32}$/.test(kind) || kind === NOT_A_KIND);
    if (odd !== undefined) throw new RangeError(`a kind of factor cannot be called ${odd.kind}`);
    for (const name of ['kind', 'stage'] as const) {
      if (new Set(factors.map((factor) => factor[name])).size < factors.length) {
        throw new RangeError(`two factors have the same ${name}`);
      }
    }
  }

  /** Undefined if no factor that is offered has this stage: what a client writes is asked for here, once. */
  ofStage(stage: string): Factor | undefined {
    return this.offered.find((factor) => factor.stage === stage);
  }

  ofKind(kind: string): Factor | undefined {
    return this.offered.find((factor) => factor.kind === kind);
  }

  /** @throws Refusal bad_json if `auth` does not have the shape of the factor's stage */
  requireShape(factor: Factor, auth: JsonObject): void {
    const check = this.checks.get(factor) ?? compileShape(stageSchema(factor));
    this.checks.set(factor, check);
    check(auth);
  }

  /** The factor whose form has this field; undefined for the fields that hold codes of all kinds. */
  ofField(field: string): Factor | undefined {
    return this.offered.find(({ page }) => page?.field === field);
  }

  /** Whether pages can ask the browser for a passkey or security key. */
  hasPasskeys(): boolean {
    return this.offered.some(({ page }) => page?.is === 'passkey');
  }

  /** The one by which users can sign in alone, if there is one. */
  ofLoneSignIn(): SignInFactor | undefined {
    return this.offered.flatMap(({ alone, page, kind }) => (alone && page ? [{ alone, page, kind }] : []))[0];
  }

  /** Those whose authenticators turn 2FA on. */
  primaryKinds(): string[] {
    return this.all.filter(({ role }) => role === 'primary').map(({ kind }) => kind);
  }

  /** The kinds that users can set up. */
  settableKinds(): string[] {
    return this.offered.filter(({ setUp }) => setUp !== undefined).map(({ kind }) => kind);
  }

  /** The factors that this user can use now, in the order of the list. */
  async availableTo(userId: string, enrolled: Enrolled): Promise<Factor[]> {
    const availability = await Promise.all(this.offered.map((factor) => factor.available(userId, enrolled)));
    return this.offered.filter((_, index) => availability[index]);
  }

  /** What the operator should hear of at the start. */
  async remarks(): Promise<string[]> {
    const remarks = await Promise.all(this.offered.map((factor) => factor.remark?.()));
    return remarks.filter((remark) => remark !== undefined);
  }

  /** The stages that this user can use now, in the order of the list. */
  async stagesOf(userId: string, enrolled: Enrolled): Promise<SecondFactorStage[]> {
    return (await this.availableTo(userId, enrolled)).map((factor) => factor.stage);
  }

  /**
   * Which kind of code was typed into a field that takes all kinds: if it looks like several, the first one that can be
   * given now. Undefined if it is missing.
   * @param stages that can be done now
   */
  readTyped(typed: string, stages: readonly string[]): TypedCode | undefined {
    if (readGivenCode(typed) === undefined) return undefined;
    const read = this.all.flatMap((factor): TypedCode[] => {
      const code = readGivenCode(factor.typed?.read(typed));
      return code === undefined ? [] : [{ factor, proof: code }];
    });
    return read.find(({ factor }) => stages.includes(factor.stage)) ?? read[0];
  }

  /**
   * Reads a code off the end of a password field (docs/clients.md, "Behind the password"). Undefined if the end does
   * not look like a code or nothing stands before it. The longer of two is meant: it has more of a code in it. A device
   * password ends like a code: what stands before that is most of a secret, which would go to the homeserver.
   */
  readAppended(field: string): AppendedCode | undefined {
    if (readDevicePassword(field) !== undefined) return undefined;
    const [longest] = this.all
      .flatMap((factor) => {
        const tail = factor.typed?.tail(field);
        const code = readGivenCode(tail?.code);
        return tail === undefined || code === undefined
          ? []
          : [{ factor, password: tail.password, proof: code }];
      })
      .sort((one, other) => one.password.length - other.password.length);
    return longest;
  }
}

/** How many digits the codes have that an app shows; undefined where none of these factors has such codes. */
export function digitsIn(factors: readonly Factor[]): number | undefined {
  return factors.flatMap(({ typed }) => typed?.digits ?? [])[0];
}

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
