import type { ListenAddress } from './config.ts';
import type { Settings } from './settings.ts';
import type { SettingPath } from './source.ts';
import { BadValue, parseListen } from './values.ts';

/** The addresses of a process; undefined where there is no such listener. */
interface Listeners {
  readonly listen: ListenAddress;
  readonly metrics: ListenAddress | undefined;
  readonly admin: ListenAddress | undefined;
}

/** Where the listeners are, each at a place of its own. @throws ConfigError */
export function listenersFrom(
  settings: Pick<Settings, 'listen' | 'metrics' | 'admin'>,
  at: <T>(path: SettingPath, read: () => T) => T,
): Listeners {
  const listen = at(['listen'], () => parseListen(settings.listen));
  const metrics = at(['metrics', 'listen'], () => apart(settings.metrics.listen, { listen }));
  const admin = at(['admin', 'listen'], () =>
    apart(settings.admin.listen, { listen, 'metrics.listen': metrics }),
  );
  return { listen, metrics, admin };
}

/** Port 0 is another one each time. */
function apart(
  written: string | undefined,
  others: Readonly<Record<string, ListenAddress | undefined>>,
): ListenAddress | undefined {
  if (written === undefined) return undefined;
  const address = parseListen(written);
  for (const [name, other] of Object.entries(others)) {
    const isSame = other?.host === address.host && other.port === address.port && address.port !== 0;
    if (isSame) throw new BadValue(`is the address of ${name}: give it a port of its own`);
  }
  return address;
}
