import type { AppendedCode, Factors } from '../factors/factors.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { Policies } from '../policy/policies.ts';
import {
  type ClaimedIdentity,
  claimsOf,
  type JoinKeys,
  joinKeysOf,
  lineKeyOf,
  readIdentity,
} from '../second_factor/claimed_identity.ts';
import { wishedDevice } from '../second_factor/upstream_login.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { Remembered } from '../system/remembered.ts';
import { withoutAuth } from '../uia/presented_auth.ts';
import type { Vault } from '../vault/vault.ts';
import type { StandingInLine } from './sign_in_line.ts';

/** A login request, read. */
export interface LoginBody {
  readonly type: string;
  /** The body without `auth`. */
  readonly body: JsonObject;
  /** The password as sent; undefined for other login types. */
  readonly password: string | undefined;
  readonly deviceId: string | undefined;
  readonly displayName: string | undefined;
  readonly identity: ClaimedIdentity;
}

/** One way to read a password field: the password for the homeserver, and the code that stood behind it. */
export interface Reading {
  readonly password: string | undefined;
  readonly appended: AppendedCode | undefined;
  readonly joinKeys: JoinKeys | undefined;
}

export interface ReadingsSettings {
  /** Whether a code may stand behind the password. */
  readonly appendedCode: boolean;
}

/** How long is remembered that an account has 2FA on, in ms. */
const ENROLLED_FOR_MS = 5 * MINUTE;
const ANYONE = 'anyone';

/** What the password field of a sign-in can mean, and who may be meant by its name. */
export class Readings {
  private readonly enrolled: Remembered;

  constructor(
    private readonly deps: {
      readonly factors: FactorStore;
      readonly codes: Pick<Factors, 'readAppended'>;
      readonly vault: Vault;
      readonly policies: Policies;
      readonly clock: Clock;
    },
    private readonly settings: ReadingsSettings,
  ) {
    this.enrolled = new Remembered(deps.clock, ENROLLED_FOR_MS, 1);
  }

  /** Whether a user may be meant who owes something: the hint of R5, never the decision. */
  async mayMeanEnrolled(signIn: LoginBody): Promise<boolean> {
    const { named, foldedNames } = signIn.identity;
    const { factors, policies } = this.deps;
    if (named) return policies.mayOwe(foldedNames);
    return (await factors.anyoneEnrolled()) || policies.mayRequireOfAnyone();
  }

  /**
   * The readings in the order in which they are tried: two for everyone where the field may hold a code, so that
   * failing looks and costs the same for all (attack 100).
   */
  async of(signIn: LoginBody, hinted: boolean): Promise<Reading[]> {
    const asSent = this.asSent(signIn);
    const appended = await this.appendedCodeOf(signIn);
    if (appended === undefined) return [asSent];
    return hinted ? [this.readingOf(signIn, appended.password, appended), asSent] : [asSent, asSent];
  }

  /** The field read as nothing but the password. */
  asSent(signIn: LoginBody): Reading {
    return this.readingOf(signIn, signIn.password, undefined);
  }

  /**
   * Where this sign-in stands in line: by its password without a code, for every account alike, so that all wait alike.
   * Undefined where it need not: no account has 2FA on, or it is not a sign-in with a password.
   */
  async lineKey(signIn: LoginBody): Promise<StandingInLine<unknown>['key'] | undefined> {
    if (signIn.password === undefined || !(await this.mayBeAnyoneEnrolled())) return undefined;
    const appended = await this.appendedCodeOf(signIn);
    return lineKeyOf(
      this.deps.vault,
      signIn.identity,
      appended?.password ?? signIn.password,
      signIn.password,
    );
  }

  /**
   * Whether any account has 2FA on, or had a few minutes ago, or may have to set it up. Each sign-in asks; where the last
   * user has turned 2FA off, sign-ins go on as before for that time, which costs little and decides nothing.
   */
  private async mayBeAnyoneEnrolled(): Promise<boolean> {
    if (this.enrolled.has(ANYONE)) return true;
    if (await this.deps.factors.anyoneEnrolled()) {
      this.enrolled.add(ANYONE);
      return true;
    }
    return this.deps.policies.mayRequireOfAnyone();
  }

  private async appendedCodeOf(signIn: LoginBody): Promise<AppendedCode | undefined> {
    if (signIn.password === undefined || !this.settings.appendedCode) return undefined;
    const appended = this.deps.codes.readAppended(signIn.password);
    return appended !== undefined && (await this.mayBeAnyoneEnrolled()) ? appended : undefined;
  }

  private readingOf(
    signIn: LoginBody,
    password: string | undefined,
    appended: AppendedCode | undefined,
  ): Reading {
    const joinKeys =
      password === undefined
        ? undefined
        : joinKeysOf(this.deps.vault, signIn.identity, password, signIn.body);
    return { password, appended, joinKeys };
  }
}

/**
 * Reads the body of `POST /login`.
 * @throws Refusal missing_param; bad_json where the fields of a password login name different users
 */
export function readLoginBody(body: JsonObject): LoginBody {
  const type = body.type;
  if (typeof type !== 'string') throw new Refusal('missing_param', { text: '`type` is missing.' });
  const password = type === PASSWORD_STAGE ? body.password : undefined;
  if (type === PASSWORD_STAGE && typeof password !== 'string') {
    throw new Refusal('missing_param', { text: '`password` is missing.' });
  }
  const claims = claimsOf(body);
  // Servers differ in which field they go by; no client names two people (spec/login.md, "Who is meant").
  if (type === PASSWORD_STAGE && claims.length > 1) {
    throw new Refusal('bad_json', { text: 'The fields that say who signs in name different users.' });
  }
  return {
    type,
    body: withoutAuth(body),
    password: typeof password === 'string' ? password : undefined,
    deviceId: wishedDevice(body),
    displayName: displayNameOf(body),
    identity: readIdentity(body),
  };
}

function displayNameOf({ initial_device_display_name: name }: JsonObject): string | undefined {
  return typeof name === 'string' ? name : undefined;
}

/** Whether the homeserver found the credential wrong, so that the other reading may be tried. */
export function isRefusedCredential(answer: HomeserverAnswer): boolean {
  return answer.status === 403 || (answer.status === 401 && answer.json?.flows === undefined);
}
