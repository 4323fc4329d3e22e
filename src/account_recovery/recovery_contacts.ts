import type { Audit } from '../audit/audit.ts';
import { faultOfAbsences } from '../calendar/absences.ts';
import { isTimeZone } from '../calendar/local_days.ts';
import type { AccountRecoveryConfig } from '../config/config.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { RecoveryContactsRequest } from '../matrix/shapes.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Policies } from '../policy/policies.ts';
import { type Caller, requireCaller } from '../second_factor/caller.ts';
import type { OwnAction, ProvenRequest, Requirement } from '../second_factor/own_action.ts';
import type { Standings } from '../second_factor/standing.ts';
import { type Decision, type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  addRecoveryContacts,
  changeRecoveryContacts,
  findRecoveryContacts,
  type RecoveryContactsRow,
  removeRecoveryContacts,
} from '../storage/tables/recovery_contacts.ts';
import type { Clock } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';
import { type ContactAddresses, NO_ADDRESS } from './contact_address.ts';
import { type ContactList, contactListOf, findContactList } from './contact_list.ts';
import { requireFactors, requireOthers, votersNamed } from './voters.ts';

/** How often a change is tried once more where another one came before it. */
const TRIES = 5;

export interface RecoveryContactsDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly policies: Pick<Policies, 'of'>;
  readonly standings: Pick<Standings, 'ofFactor'>;
  readonly audit: Audit;
  readonly clock: Clock;
}

/**
 * `…/org.matrix.2fa/recovery_contacts`: what owners set beforehand for the recovery of their account. A request freezes
 * what stands here when it begins; what changes later changes nothing about it.
 */
export class RecoveryContacts {
  constructor(
    private readonly deps: RecoveryContactsDeps,
    private readonly addresses: ContactAddresses,
    private readonly settings: Pick<AccountRecoveryConfig, 'enabled' | 'calendar' | 'votes'>,
  ) {}

  /** `GET`: also where the policy forbids more, so that owners see what they could remove. @throws Refusal unrecognized */
  async describe(request: ClientRequest): Promise<Answer> {
    this.requireOn();
    const { userId } = (await requireCaller(this.deps.homeserver, request)).owner;
    const isAllowed = await this.isAllowed(userId);
    return { status: 200, body: this.shown(await findContactList(userId, this.deps), isAllowed) };
  }

  /** `PUT`: what is left out stays as it is. */
  readonly change: OwnAction = {
    shape: 'recovery_contacts_request',
    requireOn: () => this.requireOn(),
    requireSound: (body) => this.requireSound(requireShape('recovery_contacts_request', body)),
    requirementFor: (caller, body) =>
      this.changeNeeds(caller, requireShape('recovery_contacts_request', body)),
    carryOut: (proven) => this.put(proven),
  };

  /** `DELETE`: also for those who may not have any, or have turned 2FA off: no one has to leave data here. */
  readonly removal: OwnAction = {
    shape: 'recovery_contacts_delete_request',
    requireOn: () => this.requireOn(),
    requirementFor: (caller) => this.removalNeeds(caller),
    carryOut: (proven) => this.remove(proven),
  };

  private async changeNeeds(
    { owner }: Caller,
    { voters = [] }: RecoveryContactsRequest,
  ): Promise<Requirement> {
    if (!(await this.isAllowed(owner.userId))) throw new Refusal('recovery_forbidden');
    if ((await this.deps.standings.ofFactor(owner.userId)) === undefined) throw new Refusal('not_enrolled');
    requireOthers(voters, owner.userId);
    return 'two_factor';
  }

  private async removalNeeds({ owner }: Caller): Promise<Requirement> {
    return (await this.deps.standings.ofFactor(owner.userId)) === undefined ? 'password' : 'two_factor';
  }

  /** @throws Refusal missing_param, invalid_param */
  private requireSound({ voters, contact, time_zone, absences }: RecoveryContactsRequest): void {
    if ([voters, contact, time_zone, absences].every((each) => each === undefined)) {
      throw new Refusal('missing_param', { text: 'Nothing is to be changed.' });
    }
    const { votes, calendar } = this.settings;
    requireAvailable(voters === undefined || voters.length === 0 || votes.enabled, 'Voters');
    requireAvailable(absences === undefined || absences.length === 0 || calendar.absences, 'Absences');
    if (typeof time_zone === 'string' && !isTimeZone(time_zone)) {
      throw new Refusal('invalid_param', { text: 'This time zone is not known.' });
    }
    if (contact) this.addresses.requireSound(contact);
    const fault = faultOfAbsences(absences ?? []);
    if (fault !== undefined) throw new Refusal('invalid_param', { text: fault });
  }

  /** @throws Refusal invalid_param, limit_exceeded, contacts_changed */
  private async put({ request, caller, body, keptStepUp }: ProvenRequest): Promise<Answer> {
    const { userId, deviceId } = caller.owner;
    const wanted = requireShape('recovery_contacts_request', body);
    await requireFactors(wanted.voters ?? [], this.deps.standings);
    let hasTakenLink = false;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const [found] = await this.deps.storage.read(findRecoveryContacts(userId));
      const before = found ?? emptyRow(userId);
      const row = this.rowWith(wanted, before);
      const asking = this.addresses.asking(before, row);
      if (wanted.contact && asking.length > 0 && !hasTakenLink) {
        await this.addresses.takeLink(userId, wanted.contact);
        hasTakenLink = true;
      }
      const recorded = this.deps.audit.recorded({
        ...{ userId, event: 'recovery_contacts.changed', client: request.client, deviceId },
        detail: { changed: changedIn(wanted) },
      });
      const keeping = found === undefined ? addRecoveryContacts(row) : changeRecoveryContacts(row);
      const won = [...recorded, ...asking, keptStepUp];
      if (await this.written(userId, keeping, won)) {
        return { status: 200, body: this.shown(contactListOf(row, this.deps.vault), true) };
      }
    }
    throw new Refusal('contacts_changed');
  }

  private rowWith(
    { voters, contact, time_zone, absences }: RecoveryContactsRequest,
    before: RecoveryContactsRow,
  ): RecoveryContactsRow {
    const known = JSON.parse(before.voters);
    return {
      ...before,
      ...(voters && { voters: JSON.stringify(votersNamed(voters, known, this.deps.clock.now())) }),
      ...(contact && this.addresses.columnsWith(contact, before)),
      ...(contact === null && NO_ADDRESS),
      ...(time_zone !== undefined && { timeZone: time_zone }),
      ...(absences && { absences: JSON.stringify(absences) }),
    };
  }

  private async remove({ request, caller, keptStepUp }: ProvenRequest): Promise<Answer> {
    const { userId, deviceId } = caller.owner;
    const recorded = this.deps.audit.recorded({
      ...{ userId, event: 'recovery_contacts.removed', client: request.client, deviceId },
    });
    await this.written(userId, removeRecoveryContacts(userId), [...recorded, keptStepUp]);
    return { status: 200, body: {} };
  }

  private async written(userId: string, decision: Decision<object>, won: readonly Write[]): Promise<boolean> {
    return (await this.deps.storage.commit([userId], when(decision, { won, lost: [] }))).won;
  }

  private shown({ voters, contact, timeZone, absences }: ContactList, isAllowed: boolean): JsonObject {
    const { votes, calendar } = this.settings;
    return {
      allowed: isAllowed,
      voters: voters.map(({ userId, namedTs }) => ({
        user_id: userId,
        named_ts: namedTs,
        counts_from_ts: namedTs + votes.nominationAgeMs,
      })),
      contact: contact
        ? { kind: contact.kind, address: contact.address, confirmed_ts: contact.confirmedTs }
        : null,
      time_zone: timeZone ?? null,
      server_time_zone: calendar.timeZone,
      absences: absences.map(({ from, to }) => ({ from, to })),
      available: {
        voters: votes.enabled,
        mail: this.addresses.isAvailable('mail'),
        phone: this.addresses.isAvailable('phone'),
        absences: calendar.absences,
      },
    };
  }

  /** @throws Refusal unrecognized where the operator has turned account recovery off */
  private requireOn(): void {
    if (!this.settings.enabled) throw new Refusal('unrecognized');
  }

  private async isAllowed(userId: string): Promise<boolean> {
    return (await this.deps.policies.of(userId)).accountRecovery.value !== 'forbidden';
  }
}

function requireAvailable(isAvailable: boolean, what: string): void {
  if (!isAvailable) throw new Refusal('invalid_param', { text: `${what} are not used on this server.` });
}

function changedIn(wanted: RecoveryContactsRequest): string {
  const names = ['voters', 'contact', 'time_zone', 'absences'] as const;
  return names.filter((name) => wanted[name] !== undefined).join(', ');
}

function emptyRow(userId: string): RecoveryContactsRow {
  return { userId, voters: '[]', absences: '[]', timeZone: null, changedAt: 0, ...NO_ADDRESS };
}
