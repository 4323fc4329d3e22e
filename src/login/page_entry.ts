import type { ClientRequest } from '../http/client_request.ts';
import type { AccountSessions } from '../second_factor/account_sessions.ts';
import { factorKindIn } from '../second_factor/factor_passed.ts';
import type { ReleasingProof } from '../second_factor/grant.ts';
import type { Passes } from '../second_factor/passes.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { UiaEngine } from '../uia/engine.ts';
import type { Session } from '../uia/session.ts';
import type { PageSessions } from './page_sessions.ts';
import type { PageTickets } from './page_tickets.ts';

/** The way from a sign-in on a page to the account page: it gets the held login, and no client does. */
export class PageEntry {
  constructor(
    private readonly deps: {
      readonly engine: UiaEngine;
      readonly sessions: PageSessions;
      readonly tickets: PageTickets;
      readonly passes: Passes;
      readonly accountSessions: AccountSessions;
    },
  ) {}

  /**
   * The cookie of a new page session, for exactly one caller. Undefined if the sign-in is gone, something is left to
   * prove, or factors or password were changed meanwhile.
   * @param deviceName what the page's device is called
   * @throws Refusal if the password must be judged once more and cannot be
   */
  async enter(request: ClientRequest, id: string, deviceName: string): Promise<string | undefined> {
    const found = await this.deps.sessions.find(id);
    if (found === undefined) return undefined;
    const { session } = found;
    const proof = await this.deps.tickets.proofOf(session);
    if (proof === undefined) return undefined;
    const held = found.hold ?? (await this.deps.tickets.signInAgain(request, session));
    if (held === undefined) return undefined;
    const releasing = proof.hasFactor ? proof : await this.passOf(session, held, proof);
    if (releasing === undefined) return undefined;
    await this.deps.tickets.requireAlone(request.client, session, held);
    const factor = factorKindIn(session);
    return this.deps.accountSessions.enter(request, { held, proof: releasing, factor, deviceName });
  }

  /** Where no factor was given nothing is on record that could be used up: a pass is made, and used at once. */
  private async passOf(
    session: Session,
    held: HeldLogin,
    proof: Parameters<Passes['issue']>[1],
  ): Promise<ReleasingProof | undefined> {
    if (!(await this.deps.engine.finish(session))) return undefined;
    return this.deps.passes.find(await this.deps.passes.issue(held, proof));
  }
}
