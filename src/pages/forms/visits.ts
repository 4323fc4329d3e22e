import { createHash } from 'node:crypto';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Storage } from '../../storage/storage.ts';
import {
  type FoundVisit,
  findVisit,
  keepVisit,
  openVisit,
  takeVisitTurn,
  type VisitLimits,
  type VisitTimes,
} from '../../storage/tables/visits.ts';
import { HOUR, MINUTE } from '../../system/clock.ts';
import type { Pause } from '../../system/pause.ts';
import { type RandomSource, randomId } from '../../system/random.ts';
import type { Vault } from '../../vault/vault.ts';
import { type Html, html } from '../shell/html.ts';
import type { FormTokens } from './form_tokens.ts';

const ID_BITS = 128;
/** What `randomId` makes of so many bits, and nothing else. */
const ID = /^[A-Za-z0-9_-]{22}$/;
const TIMES: VisitTimes = { takenMs: MINUTE, keptMs: HOUR };
const LIMITS: VisitLimits = { perBrowser: 20, most: 100_000 };
/** How often a page looks whether the request is done that is at work on its visit: 10 seconds in all. */
const LOOKS = 200;
const LOOK_MS = 50;

/** What stands between the requests of a browser at a page. */
export interface Visit<State> {
  /** In the address; worth nothing in another browser. */
  readonly id: string;
  /** Goes into each form: what comes with an older one is not judged. */
  readonly turn: number;
  readonly state: State;
}

/** What a turn came to. */
export interface KeptState<State> {
  readonly state: State;
  /** The session whose login is held, and when that ends. */
  readonly held?: { readonly sessionHash: string; readonly endsAt: number } | undefined;
}

/**
 * The visits of browsers at our pages. A page takes the turn of a form by one conditional write before it judges
 * anything: reload, Back and double clicks count nothing, on several replicas too.
 * @typeParam State what the page keeps: no password, and no code that was typed
 */
export class Visits<State> {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read' | 'commit'>;
      readonly vault: Vault;
      readonly random: RandomSource;
      readonly tokens: FormTokens;
      readonly pause: Pause;
    },
    /** The page that the visits are of: no other one finds them. */
    private readonly page: string,
  ) {}

  /** Those at the page of one thing alone. */
  at(part: string): Visits<State> {
    return new Visits(this.deps, `${this.page} ${part}`);
  }

  /** The id of a visit that is opened with the first form. */
  newId(): string {
    return randomId(this.deps.random, ID_BITS);
  }

  /** The visit of this browser, as the request that is at work on it leaves it. Undefined: unknown, over, or another's. */
  async find(request: ClientRequest, id: string): Promise<Visit<State> | undefined> {
    for (let look = 0; ; look += 1) {
      const row = await this.rowOf(request, id);
      if (row === undefined) return undefined;
      if (row.isTaken === 0 || look === LOOKS || request.signal.aborted) return this.opened(id, row);
      await this.deps.pause(LOOK_MS);
    }
  }

  /** Whether this browser has the visit. */
  async isThere(request: ClientRequest, id: string): Promise<boolean> {
    return (await this.rowOf(request, id)) !== undefined;
  }

  /** Opens a visit and takes its first turn. Undefined: another request has opened it. */
  async open(request: ClientRequest, id: string, state: State): Promise<Visit<State> | undefined> {
    if (!ID.test(id)) return undefined;
    const idHash = this.hashOf(id);
    const { binding: browser } = this.deps.tokens.browserOf(request);
    const row = { idHash, browser, sessionHash: null, sealedState: this.sealed(idHash, state) };
    const { won } = await this.deps.storage.commit([], openVisit(row, TIMES, LIMITS));
    return won ? { id, turn: 1, state } : undefined;
  }

  /** Takes the turn that a form names. Undefined: it was taken, or the visit is over or another browser's. */
  async take(request: ClientRequest, id: string, turn: number): Promise<Visit<State> | undefined> {
    const row = await this.rowOf(request, id);
    if (row === undefined) return undefined;
    const taken = await this.deps.storage.commit([], takeVisitTurn(row.idHash, turn, TIMES));
    return taken && this.opened(id, { ...row, turn: turn + 1, ...taken });
  }

  /** Keeps what a turn came to; nothing if a later one was taken meanwhile. */
  async keep({ id, turn }: Visit<State>, { state, held }: KeptState<State>): Promise<void> {
    const idHash = this.hashOf(id);
    const kept = {
      idHash,
      turn,
      sealedState: this.sealed(idHash, state),
      sessionHash: held?.sessionHash ?? null,
      heldUntil: held?.endsAt ?? 0,
    };
    await this.deps.storage.commit([], keepVisit(kept, TIMES));
  }

  /**
   * What the form of a turn comes to; where it could not be judged, the visit is as it was `before`. A browser that sends a
   * form twice leaves the first one: its request does not end what comes of it, which is for the visit.
   */
  async judge<Visited extends { readonly request: ClientRequest }, Next>(
    visit: Visited,
    taken: Visit<State>,
    before: KeptState<State>,
    judge: (unhurried: Visited) => Promise<Next>,
  ): Promise<Next> {
    const request = { ...visit.request, signal: new AbortController().signal };
    try {
      return await judge({ ...visit, request });
    } catch (error) {
      await this.keep(taken, before);
      throw error;
    }
  }

  private async rowOf(request: ClientRequest, id: string): Promise<FoundVisit | undefined> {
    if (!ID.test(id)) return undefined;
    const [row] = await this.deps.storage.read(findVisit(this.hashOf(id)));
    return row !== undefined && this.deps.tokens.isBrowser(request, row.browser) ? row : undefined;
  }

  private hashOf(id: string): string {
    return createHash('sha256').update(`${this.page} ${id}`).digest('hex');
  }

  private opened(id: string, { idHash, turn, sealedState }: FoundVisit): Visit<State> {
    return {
      id,
      turn,
      state: JSON.parse(this.deps.vault.open(sealedState, identityOf(idHash)).toString()) as State,
    };
  }

  private sealed(idHash: string, state: State): Buffer {
    return this.deps.vault.seal(JSON.stringify(state), identityOf(idHash));
  }
}

/** The hidden field that names a turn. */
export function turnField(turn: number): Html {
  return html`<input type="hidden" name="turn" value="${turn}">`;
}

/** The turn that a form names; one that was never given where it names none. */
export function turnIn(form: ReadonlyMap<string, string>): number {
  const turn = form.get('turn') ?? '';
  return /^\d{1,9}$/.test(turn) ? Number(turn) : -1;
}

function identityOf(idHash: string): string {
  return `visit:${idHash}`;
}
