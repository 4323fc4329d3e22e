import type { Config, RateLimit } from './config.ts';

/** What `serve` takes from a configuration that is read again: the settings of the table with `reload`. */
type Reloaded = Pick<Config, 'trustedProxies' | 'applicationServices' | 'limits' | 'notify' | 'policy'> & {
  readonly sso: Pick<Config['sso'], 'clients'>;
};

/**
 * The configuration of a running proxy. Its `view` is that of the start, but for what can be read again: code that
 * needs such a setting reads it from the view at each use, and keeps no copy.
 */
export class LiveConfig {
  readonly view: Config;
  private reloaded: Reloaded;

  constructor(atStart: Config) {
    this.reloaded = atStart;
    const now = () => this.reloaded;
    this.view = {
      ...atStart,
      get trustedProxies() {
        return now().trustedProxies;
      },
      get applicationServices() {
        return now().applicationServices;
      },
      limits: limitsOf(now),
      get notify() {
        return now().notify;
      },
      get policy() {
        return now().policy;
      },
      sso: {
        ...atStart.sso,
        get clients() {
          return now().sso.clients;
        },
      },
    };
  }

  /** Takes the settings that can be read again from `next`; all others stay. */
  take(next: Config): void {
    this.reloaded = next;
  }
}

function limitsOf(now: () => Reloaded): Config['limits'] {
  return {
    perAddress: rateOf(() => now().limits.perAddress),
    signInPerUser: rateOf(() => now().limits.signInPerUser),
    get sessionFailures() {
      return now().limits.sessionFailures;
    },
  };
}

function rateOf(rate: () => RateLimit): RateLimit {
  return {
    get perSecond() {
      return rate().perSecond;
    },
    get burstCount() {
      return rate().burstCount;
    },
  };
}
