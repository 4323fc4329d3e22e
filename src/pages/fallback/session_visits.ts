import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import { hashSessionId } from '../../uia/session.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import { turnField, turnIn, type Visit, type Visits } from '../forms/visits.ts';
import type { Html } from '../shell/html.ts';

/** A visit as its page shows it. */
export interface SeenVisit<State> {
  readonly state: State;
  /** Where its forms go. */
  readonly action: string;
  /** Names the turn, in each form. */
  readonly turn: Html;
}

/** What a form came to. */
export interface Judged<State> {
  readonly state: State;
  readonly outcome?: Outcome | undefined;
}

/**
 * Visits at the page of a session. Its address keeps `?session=` and gains `v` with the first form; what a form came to
 * is shown there by a `GET`. A visit is worth nothing at the page of another session.
 */
export class SessionVisits<State> {
  constructor(
    private readonly visits: Visits<State>,
    private readonly first: State,
  ) {}

  /** What the address names; a new visit where it names none. Undefined: it is over, or another browser's. */
  async seen(request: ClientRequest): Promise<SeenVisit<State> | undefined> {
    const visits = this.visitsAt(request);
    const named = request.query.get('v');
    const found =
      named === undefined
        ? { id: visits.newId(), turn: 0, state: this.first }
        : await visits.find(request, named);
    return found && { state: found.state, action: addressOf(request, found.id), turn: turnField(found.turn) };
  }

  /** Judges a form unless its turn was taken before, and leads to where the visit stands. */
  async submit(
    visit: PageVisit,
    form: Form,
    judge: (unhurried: PageVisit, state: State) => Promise<Judged<State>>,
  ): Promise<Answer> {
    const { request } = visit;
    const visits = this.visitsAt(request);
    const taken = await this.take(visits, request, turnIn(form));
    if (taken === undefined) return leadBack(request);
    const before = { state: taken.state };
    const { state, outcome } = await visits.judge(visit, taken, before, (unhurried) =>
      judge(unhurried, taken.state),
    );
    await visits.keep(taken, { state });
    return { ...seeOther(addressOf(request, taken.id)), ...(outcome && { outcome }) };
  }

  private take(
    visits: Visits<State>,
    request: ClientRequest,
    turn: number,
  ): Promise<Visit<State> | undefined> {
    const id = request.query.get('v') ?? '';
    return turn === 0 ? visits.open(request, id, this.first) : visits.take(request, id, turn);
  }

  private visitsAt(request: ClientRequest): Visits<State> {
    return this.visits.at(hashSessionId(sessionIn(request)));
  }
}

/** Leads to what the address shows: nothing was judged. */
export function leadBack(request: ClientRequest): Answer {
  return seeOther(addressOf(request, request.query.get('v')));
}

/** The session that the address of a page names. */
export function sessionIn({ query }: ClientRequest): string {
  return query.get('session') ?? '';
}

/** Relative to the page: the prefix that the client asked under stays, and so does what a web server put before it. */
function addressOf(request: ClientRequest, visitId: string | undefined): string {
  const session = `?session=${encodeURIComponent(sessionIn(request))}`;
  return visitId === undefined ? session : `${session}&v=${encodeURIComponent(visitId)}`;
}
