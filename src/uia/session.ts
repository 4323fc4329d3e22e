import type { Flow } from '../matrix/wire.ts';

/** Who and what a session is bound to. All of it is compared on every use (attacks 44, 45). */
export interface SessionBinding {
  readonly target: string;
  readonly userId: string;
  /** SHA-256 of the access token; null at login. */
  readonly tokenHash: string | null;
}

/** What the 401 of a session says (client-server API, "User-Interactive Authentication API"). */
export interface Challenge {
  readonly session: string;
  readonly flows: readonly { readonly stages: readonly string[] }[];
  readonly params: Readonly<Record<string, never>>;
  readonly completed: readonly string[];
}

/** The stages that may come next: for each flow that what is completed is a beginning of, the one after it. */
export function nextStages(flows: readonly Flow[], completed: readonly string[]): string[] {
  const next = flows
    .filter((flow) => beginsWith(flow, completed) && flow.length > completed.length)
    .map((flow) => flow[completed.length] as string);
  return [...new Set(next)];
}

/** Whether `completed` is exactly one of the flows, in its order. */
export function isSatisfied(flows: readonly Flow[], completed: readonly string[]): boolean {
  return flows.some((flow) => flow.length === completed.length && beginsWith(flow, completed));
}

function beginsWith(flow: Flow, completed: readonly string[]): boolean {
  return completed.length <= flow.length && completed.every((stage, index) => flow[index] === stage);
}
