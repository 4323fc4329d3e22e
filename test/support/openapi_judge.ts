import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';

/** An answer to a client, to be judged. */
export interface JudgedAnswer {
  readonly method: string;
  /** The path of the request; a query is ignored. */
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

export interface Judgement {
  /** False where the specification has nothing on this endpoint, or its files are not here. */
  readonly checked: boolean;
  readonly errors: readonly string[];
}

/** The files of the specification that hold endpoints which we touch. */
const FILES = [
  'account_deactivation',
  'administrative_contact',
  'capabilities',
  'cross_signing',
  'device_management',
  'login',
  'login_token',
  'logout',
  'password_management',
  'refresh',
  'registration',
  'versions',
  'wellknown',
  'whoami',
].map((name) => `client-server/${name}.yaml`);

const CHALLENGE = 'client-server/definitions/auth_response.yaml';
const ERROR = 'client-server/definitions/errors/error.yaml';
const RATE_LIMITED = 'client-server/definitions/errors/rate_limited.yaml';

/** Base of the ids that the files get, so that their relative `$ref`s lead to one another. */
const BASE = 'https://matrix-spec.invalid/';

/** Said by the judge's own tests, once in a whole run. */
export const LEFT_OUT =
  'left out: answers are not checked against the official OpenAPI files of Matrix. ' +
  'To have it, clone https://github.com/matrix-org/matrix-spec and set MATRIX_SPEC_DIR to its data/api folder.\n';

/** Checks answers on Matrix endpoints against the official specification's own files. */
export class OpenApiJudge {
  private readonly ajv = new Ajv2020({
    // OpenAPI's own keywords (`example`, `x-…`) stand in these schemas.
    strict: false,
    // Whether the files themselves are sound is not asked here, and it would take each suite a moment.
    validateSchema: false,
    allErrors: true,
    formats: {
      uri: (text: string) => URL.canParse(text),
      'mx-user-id': /^@[^:]+:.+$/,
      'mx-server-name': /^[0-9A-Za-z.:[\]-]+$/,
      int64: { type: 'number', validate: Number.isSafeInteger },
    },
  });
  private readonly loaded = new Map<string, JsonObject>();
  private readonly operations: readonly Operation[];

  /** @param folder the `data/api` folder of the specification */
  constructor(private readonly folder: string) {
    this.operations = FILES.flatMap((file) => operationsOf(file, this.load(file)));
    for (const file of [CHALLENGE, ERROR, RATE_LIMITED]) this.load(file);
  }

  judge(answer: JudgedAnswer): Judgement {
    const endpoint = specPath(answer.path);
    const operation = this.operations.find(
      (each) => each.method === answer.method.toUpperCase() && each.path.test(endpoint),
    );
    if (operation === undefined) return { checked: false, errors: [] };
    const expected = this.expected(operation, answer);
    if (typeof expected === 'string') return { checked: true, errors: [expected] };
    const errors = expected.flatMap((reference) => this.failures(reference, answer.body));
    return { checked: true, errors };
  }

  /** References of the schemas that the body must satisfy, or what is wrong with the status itself. */
  private expected(operation: Operation, answer: JudgedAnswer): readonly string[] | string {
    const { status, body } = answer;
    const hasFlows = isJsonObject(body) && 'flows' in body;
    // Every endpoint may answer with a standard error, and one under UIA with a challenge, listed or not:
    // e.g. 401 M_MISSING_TOKEN on delete_devices, whose list names only the challenge.
    if (status === 401 && hasFlows) {
      return 'errcode' in body ? [reference(CHALLENGE), reference(ERROR)] : [reference(CHALLENGE)];
    }
    if (status === 429) return [reference(RATE_LIMITED)];
    if (status >= 400) return [reference(ERROR)];
    const listed = operation.schemas.get(status);
    return listed === undefined
      ? `status ${status} is not in the specification of ${operation.name}`
      : [listed];
  }

  private failures(schemaReference: string, body: unknown): string[] {
    const check = this.ajv.getSchema(schemaReference) ?? this.compile(schemaReference);
    if (check(body)) return [];
    return (check.errors ?? []).map((error) => `${error.instancePath || 'the body'} ${error.message}`);
  }

  private compile(schemaReference: string): ValidateFunction {
    return this.ajv.compile({ $ref: schemaReference });
  }

  /** Reads a file and all that it refers to. */
  private load(file: string): JsonObject {
    const known = this.loaded.get(file);
    if (known !== undefined) return known;
    const document = readSpecFile(this.folder, file);
    this.loaded.set(file, document);
    this.ajv.addSchema(document, BASE + file);
    for (const target of referencesIn(document)) {
      const url = new URL(target, BASE + file);
      this.load(url.pathname.slice(1));
    }
    return document;
  }
}

/**
 * Reads one file of the specification. The suites of a run share what is parsed of it, as parsing YAML would take each
 * of them about a tenth of its time.
 */
function readSpecFile(folder: string, file: string): JsonObject {
  const run = process.env.M2FA_TEST_RUN;
  if (run === undefined) return parseSpecFile(folder, file);
  const path = join(folder, file);
  const kept = join(tmpdir(), `m2fa-spec-${run}`, `${createHash('sha256').update(path).digest('hex')}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'));
  const document = parseSpecFile(folder, file);
  mkdirSync(dirname(kept), { recursive: true });
  const own = `${kept}.${process.pid}`;
  writeFileSync(own, JSON.stringify(document));
  // Whole at once: another worker may look for it now.
  renameSync(own, kept);
  return document;
}

function parseSpecFile(folder: string, file: string): JsonObject {
  return parse(readFileSync(join(folder, file), 'utf8')) as JsonObject;
}

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: RegExp;
  /** References of the schemas of its listed answers, by status. */
  readonly schemas: ReadonlyMap<number, string>;
}

function operationsOf(file: string, document: JsonObject): Operation[] {
  return entriesOf(document.paths).flatMap(([path, methods]) =>
    entriesOf(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: pathPattern(path),
      schemas: schemasOf(file, [path, method], operation as JsonObject),
    })),
  );
}

function schemasOf(file: string, place: readonly string[], operation: JsonObject): Map<number, string> {
  const schemas = new Map<number, string>();
  for (const [status, response] of entriesOf(operation.responses)) {
    const content = (response as JsonObject).content;
    const media = isJsonObject(content) ? content['application/json'] : undefined;
    if (!isJsonObject(media) || !isJsonObject(media.schema)) continue;
    const keys = ['paths', ...place, 'responses', status, 'content', 'application/json', 'schema'];
    // Followed here: ajv takes the references of a schema that is nothing but a reference for relative to us.
    const { $ref: elsewhere } = media.schema;
    schemas.set(
      Number(status),
      typeof elsewhere === 'string' ? new URL(elsewhere, BASE + file).href : reference(file, keys),
    );
  }
  return schemas;
}

/** The URI of a place in a file: a JSON pointer as a fragment (RFC 6901 §6). */
function reference(file: string, keys: readonly string[] = []): string {
  const pointer = keys.map(
    (key) => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`,
  );
  return pointer.length === 0 ? BASE + file : `${BASE}${file}#${pointer.join('')}`;
}

function pathPattern(path: string): RegExp {
  const escaped = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+');
  return new RegExp(`^${escaped}$`);
}

/** The path as the specification's files write it: without base path, version and query. */
export function specPath(path: string): string {
  const bare = path.split('?', 1)[0] ?? '';
  return bare
    .replace(/^\/\.well-known\//, '/')
    .replace(
      /^\/_matrix\/client(?:\/(?:api\/v1|r0|v[0-9]+|unstable(?:\/org\.matrix\.msc[0-9]+)?)(?=\/))?/,
      '',
    )
    .replace(/^\/login\/token$/, '/login/get_token');
}

/** Files that the `$ref`s in a document lead to; those within the document itself are left out. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string'
      ? inner.startsWith('#')
        ? []
        : [inner.split('#', 1)[0] as string]
      : referencesIn(inner),
  );
}

function entriesOf(value: unknown): [string, unknown][] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

/**
 * Where the specification's files are: MATRIX_SPEC_DIR, or `../shared/matrix-spec` beside the checkout.
 * @throws Error if MATRIX_SPEC_DIR names a folder that does not hold them
 */
export function specFolder(
  fromEnvironment = process.env.MATRIX_SPEC_DIR,
  beside = fileURLToPath(new URL('../../../shared/matrix-spec', import.meta.url)),
): string | undefined {
  if (fromEnvironment) {
    if (holdsSpec(fromEnvironment)) return fromEnvironment;
    throw new Error(`MATRIX_SPEC_DIR: there is no client-server/login.yaml in ${fromEnvironment}`);
  }
  return holdsSpec(beside) ? beside : undefined;
}

function holdsSpec(folder: string): boolean {
  return existsSync(join(folder, 'client-server/login.yaml'));
}

let judge: OpenApiJudge | undefined;

/**
 * Checks an answer against the official files. Where they are missing nothing is checked:
 * `checked` is false then.
 */
export function judgeAnswer(answer: JudgedAnswer): Judgement {
  const folder = judge === undefined ? specFolder() : undefined;
  if (folder !== undefined) judge = new OpenApiJudge(folder);
  return judge?.judge(answer) ?? { checked: false, errors: [] };
}
