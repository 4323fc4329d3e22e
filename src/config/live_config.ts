import type { Config, RateLimit } from './config.ts';
import { policyAfterReload } from './load_policy.ts';

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

  constructor(private readonly atStart: Config) {
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

  /**
   * What `take` is given of a configuration that was read again.
   * @throws ConfigError if it works only with a setting that needs a restart
   */
  prepared(next: Config): Reloaded {
    return { ...next, policy: policyAfterReload(next, this.atStart) };
  }

  /** Takes the settings that can be read again; all others stay. */
  take(prepared: Reloaded): void {
    this.reloaded = prepared;
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
