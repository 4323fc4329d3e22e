import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { FinishedRequest } from '../gateway/request_log.ts';
import { reasonOf } from '../matrix/outcome.ts';

const PREFIX = 'm2fa_';
/** Seconds. Answers from memory take less than a millisecond, a homeserver's password hash some 0.3 s. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is counted, as it happens: a row each (docs/watch.md). */
const COUNTERS = {
  requests_total: {
    help: 'Requests on gated and own routes, by what became of them.',
    labelNames: ['route', 'outcome', 'reason'],
  },
  passed_total: {
    help: 'Requests that were passed on, by the status of the answer.',
    labelNames: ['status'],
  },
  factor_checks_total: {
    help: 'Second factors that were looked at.',
    labelNames: ['factor', 'door', 'result'],
  },
  holds_ended_total: { help: 'Held logins that ended.', labelNames: ['how'] },
  homeserver_failures_total: {
    help: 'Questions that the homeserver did not answer, or answered with a failure or a limit.',
    labelNames: ['call', 'reason'],
  },
  store_retries_total: { help: 'Units of work that were run again.', labelNames: ['cause'] },
  store_failures_total: { help: 'Times that the store did not answer.', labelNames: [] },
  audit_entries_total: { help: 'Lines of the audit.', labelNames: ['event'] },
  notices_total: {
    help: 'Attempts to send a notice, and what became of notices.',
    labelNames: ['channel', 'result'],
  },
} as const;

const HISTOGRAMS = {
  request_seconds: { help: 'How long requests on gated and own routes took.', labelNames: ['group'] },
  homeserver_seconds: { help: 'How long the homeserver took to answer us.', labelNames: ['call'] },
  store_seconds: { help: 'How long the store took.', labelNames: ['op'] },
} as const;

/** What is looked up when someone asks. */
const GAUGES = {
  build_info: { help: 'The running version.', labelNames: ['version', 'node'] },
  ready: { help: 'Whether store and homeserver answer.', labelNames: ['part'] },
  passing: { help: 'Requests that are being passed on.', labelNames: [] },
  holds: { help: 'Logins that wait for their second factor.', labelNames: [] },
  logouts_waiting: { help: 'Held logins that have ended and are not logged out yet.', labelNames: [] },
  sessions: { help: 'Sessions under way.', labelNames: [] },
  hash_queue: { help: 'Recovery codes that wait to be hashed.', labelNames: [] },
  notices_waiting: { help: 'Notices that wait to be sent.', labelNames: ['channel'] },
  pool_connections: {
    help: 'Connections to PostgreSQL, and requests that wait for one.',
    labelNames: ['state'],
  },
  users: {
    help: 'Users with 2FA on, without recovery codes, with a lane that is shut.',
    labelNames: ['state'],
  },
  active_key_created_seconds: { help: 'When the active key was made, since the epoch.', labelNames: [] },
} as const;

/** Every metric with its labels: what the rules and the board in `deploy/` may name. */
export const METRICS = { ...COUNTERS, ...HISTOGRAMS, ...GAUGES } as const;

type CounterName = keyof typeof COUNTERS;
type GaugeName = keyof typeof GAUGES;
type LabelsOf<Name extends keyof typeof METRICS> = Readonly<
  Record<(typeof METRICS)[Name]['labelNames'][number], string>
>;

/** What a look-up finds: a gauge's values with their labels. */
export interface GaugeValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Fills gauges that are looked up; what cannot be looked up now has no value. */
export type LookUp = () => Promise<Partial<Readonly<Record<GaugeName, readonly GaugeValue[]>>>>;

/** The metrics of one process. No label holds anything that others chose. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly counters: Readonly<Record<CounterName, Counter>>;
  private readonly histograms: Readonly<Record<keyof typeof HISTOGRAMS, Histogram>>;
  private readonly gauges: Readonly<Record<GaugeName, Gauge>>;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.counters = each(COUNTERS, (name, row) => new Counter({ name, ...row, registers }));
    this.histograms = each(
      HISTOGRAMS,
      (name, row) => new Histogram({ name, ...row, buckets: BUCKETS, registers }),
    );
    this.gauges = each(GAUGES, (name, row) => new Gauge({ name, ...row, registers }));
  }

  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>): void {
    this.counters[name].inc(labels);
  }

  took(name: keyof typeof HISTOGRAMS, label: string, ms: number): void {
    const [labelName] = HISTOGRAMS[name].labelNames;
    this.histograms[name].observe({ [labelName]: label }, ms / 1000);
  }

  /** One request, in the one place where its end is known. */
  finished({ route, outcome, record, ms }: FinishedRequest): void {
    const door = route?.door ?? 'none';
    this.count('requests_total', {
      route: route?.id ?? 'none',
      outcome: outcome.is,
      reason: reasonOf(outcome),
    });
    this.took('request_seconds', door, ms);
    for (const { factor, result } of record.checks)
      this.count('factor_checks_total', { factor, door, result });
  }

  /** The text for Prometheus. */
  async text(lookUp: LookUp): Promise<string> {
    const found = await lookUp();
    for (const [name, gauge] of Object.entries(this.gauges)) {
      const values = found[name as GaugeName];
      gauge.reset();
      for (const { labels, value } of values ?? []) gauge.set(labels, value);
      // After a reset a gauge without labels would be 0, which no one has measured.
      if (values === undefined && GAUGES[name as GaugeName].labelNames.length === 0) gauge.remove();
    }
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}

function each<Rows extends Readonly<Record<string, { help: string; labelNames: readonly string[] }>>, Made>(
  rows: Rows,
  make: (name: string, row: { help: string; labelNames: string[] }) => Made,
): Record<keyof Rows, Made> {
  const made = Object.entries(rows).map(([name, { help, labelNames }]) => [
    name,
    make(PREFIX + name, { help, labelNames: [...labelNames] }),
  ]);
  return Object.fromEntries(made);
}
