import { answerRefusal, errcodeOf } from '../homeserver/answer_refusal.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import { DEVICE_SECRET_LENGTH, deviceSecretFrom, showDevicePassword } from '../matrix/device_password.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, LOGIN_PATH, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { Caller } from '../second_factor/caller.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { LoginDeed, PasswordProof, ProvingAction } from '../second_factor/own_action.ts';
import type { OwnLogin } from '../second_factor/own_login.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { UpstreamLogin } from '../second_factor/upstream_login.ts';
import { keepDevicePassword, listDevicePasswords } from '../storage/tables/device_passwords.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { type DevicePasswordDeps, digestOf, mayHave, requireOn } from './device_password_deps.ts';

const ID_BITS = 96;

export interface DevicePasswordCreationDeps
  extends Pick<DevicePasswordDeps, 'vault' | 'audit' | 'devicePasswords'> {
  readonly rules: DevicePasswordRules;
  readonly upstream: UpstreamLogin;
  readonly ownLogin: OwnLogin;
  readonly random: RandomSource;
}

type Making = Pick<PasswordProof, 'request' | 'caller'> & { readonly name: string };

/**
 * `POST …/org.matrix.2fa/device_passwords`: one login makes the device, and by it the homeserver judges the password
 * that was given with the second factor. The row is the first thing that is written of it, in the commit that uses the
 * proof up (docs/security_model.md).
 */
export class DevicePasswordCreation {
  constructor(private readonly deps: DevicePasswordCreationDeps) {}

  readonly action: ProvingAction = {
    shape: 'device_password_request',
    requireSound: (body) => void nameIn(body),
    requirementFor: (caller) => this.deps.rules.requirementFor(caller),
    logIn: (proof) => this.logIn(proof),
    refusedInCommit: 'too_many_device_passwords',
  };

  /** Undefined if the password is wrong. @throws Refusal */
  private async logIn({ request, caller, body, password }: PasswordProof): Promise<LoginDeed | undefined> {
    const name = nameIn(body);
    const { upstream } = this.deps;
    const { userId } = caller.owner;
    if (password === undefined) return this.logInWithout({ request, caller, name });
    const identifier = { type: 'm.id.user', user: userId };
    const outcome = await upstream.logIn({
      // The query of this request is not for the homeserver's login.
      request: { ...request, search: '' },
      path: LOGIN_PATH,
      body: { type: PASSWORD_STAGE, identifier, password, initial_device_display_name: name },
    });
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') {
      if (isWrongPassword(outcome.answer)) return undefined;
      throw answerRefusal(outcome.answer);
    }
    return this.sound(outcome.grant, { request, caller, name });
  }

  /** For an account without a password: the factor was all that it could prove. @throws Refusal */
  private async logInWithout(made: Making): Promise<LoginDeed> {
    const { request, caller, name } = made;
    const body = { initial_device_display_name: name };
    const grant = await this.deps.ownLogin.logIn({ request, userId: caller.owner.userId, body });
    if (grant === undefined) throw new Refusal('no_password');
    return this.sound(grant, made);
  }

  private async sound(grant: Grant, made: Making): Promise<LoginDeed> {
    if (grant.userId === made.caller.owner.userId && (grant.deviceId ?? '') !== '') {
      return this.deedOf(grant, made);
    }
    await this.deps.upstream.discard(grant);
    throw new Refusal('homeserver_unclear');
  }

  private deedOf(grant: Grant, { request, caller, name }: Making): LoginDeed {
    const { random, vault, audit, upstream, devicePasswords } = this.deps;
    const id = randomId(random, ID_BITS);
    const secret = deviceSecretFrom(random.bytes(DEVICE_SECRET_LENGTH));
    const { userId, deviceId = '', tokenHash, expiresInMs } = grant;
    const row = {
      ...{ id, userId, name, deviceId, tokenHash, secretDigest: digestOf(vault, secret) },
      sealedToken: grant.sealToken(vault, 'device-password', { id, userId }),
      lifetimeMs: expiresInMs ?? null,
    };
    return {
      keep: keepDevicePassword(row, devicePasswords.maxPerUser),
      also: audit.recorded({
        ...{ userId, event: 'device_password.created', client: request.client },
        deviceId: caller.owner.deviceId,
        detail: { device_password: id, device: deviceId },
      }),
      answer: (createdAt) => made({ id, secret, deviceId, name, createdAt }),
      undo: () => upstream.discard(grant),
    };
  }
}

/** Who may have one more device password. */
export class DevicePasswordRules {
  constructor(
    private readonly deps: Pick<DevicePasswordDeps, 'storage' | 'policies' | 'devicePasswords'> & {
      readonly standings: Pick<Standings, 'ofFactor'>;
    },
  ) {}

  /** @throws Refusal unrecognized, device_passwords_forbidden, device_password_needs_factor, too_many_device_passwords */
  async requirementFor({ owner }: Caller): Promise<'two_factor'> {
    requireOn(this.deps);
    const { userId } = owner;
    const { policies, standings, storage, devicePasswords } = this.deps;
    if (!(await mayHave(policies, userId))) throw new Refusal('device_passwords_forbidden');
    if ((await standings.ofFactor(userId)) === undefined) throw new Refusal('device_password_needs_factor');
    const live = await storage.read(listDevicePasswords(userId));
    if (live.length >= devicePasswords.maxPerUser) throw new Refusal('too_many_device_passwords');
    return 'two_factor';
  }
}

interface Made {
  readonly id: string;
  readonly secret: string;
  readonly deviceId: string;
  readonly name: string;
  readonly createdAt: number;
}

/** What the owner is told, once. */
function made({ id, secret, deviceId, name, createdAt }: Made): Answer {
  const device_password = showDevicePassword(secret);
  return { status: 200, body: { id, device_password, device_id: deviceId, name, created_at: createdAt } };
}

function isWrongPassword(answer: HomeserverAnswer): boolean {
  return (answer.status === 401 || answer.status === 403) && errcodeOf(answer) === 'M_FORBIDDEN';
}

/** @throws Refusal missing_param */
function nameIn({ name }: JsonObject): string {
  if (typeof name !== 'string') throw new Refusal('missing_param', { text: '`name` is missing.' });
  return name;
}
