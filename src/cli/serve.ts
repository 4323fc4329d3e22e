import { Command } from 'commander';
import type { Config, ListenAddress } from '../config/config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { SECOND } from '../system/clock.ts';
import { inTime } from '../system/in_time.ts';
import { silentLog } from '../system/log.ts';
import { createLogger, type ProcessLog } from '../system/logger.ts';
import { CommandFailed, FailureLogged } from './failures.ts';
import { requireFittingKeys } from './keys_fit.ts';
import { configOption, loadedFrom } from './options.ts';
import { Reload } from './reload.ts';
import type { Surroundings } from './surroundings.ts';

/** How long requests under way may take to finish (docs/operate.md, "Run"). */
const GRACE_MS = 10 * SECOND;

/** After this `serve` stops waiting for its own end: a supervisor would soon kill it (`TimeoutStopSec=20`). */
const CLOSE_MS = 15 * SECOND;

interface ServeOptions {
  readonly config?: string;
  readonly acceptEmptyDatabase?: true;
}

/** `serve`: the proxy, until it is told to end. */
export function serveCommand(surroundings: Surroundings): Command {
  return new Command('serve')
    .description('run the proxy until SIGTERM or Ctrl-C')
    .addOption(configOption())
    .option(
      '--accept-empty-database',
      'serve another database than the one in which users turned two-factor authentication on: for this start only',
    )
    .action(({ config, acceptEmptyDatabase }: ServeOptions) =>
      serve(() => loadedFrom(config, surroundings), acceptEmptyDatabase === true, surroundings),
    );
}

async function serve(
  load: () => LoadedConfig,
  acceptEmptyDatabase: boolean,
  surroundings: Surroundings,
): Promise<void> {
  const reload = new Reload(load);
  // At once: a signal that no one listens to would end the process.
  surroundings.onReload(() => reload.ask());
  const { config } = reload.start;
  await requireFittingKeys(config, surroundings);
  // Loaded here, so that the other commands start without the whole server.
  const { createProxy } = await import('../server/proxy.ts');
  const { clock, random, out, untilStopped } = surroundings;
  const log = createLogger(config.log);
  const stopped = untilStopped();
  const broken = untilBroken(surroundings, log);
  const made = createProxy(config, { clock, random, log, acceptEmptyDatabase });
  const proxy = await Promise.race([made, broken, stopped]);
  // Told to end before there was anything to close: a migration may take long, and is taken back.
  if (proxy === undefined) return;
  try {
    const url = await proxy.listen();
    proxy.findContact();
    await proxy.remarkOnFactors();
    reload.begin(proxy, log);
    out(
      `matrix-2fa-proxy listens on ${url} as ${config.publicBaseUrl}, in front of ${config.homeserver.url}`,
    );
    const remark = remarkIfHomeserverIsAway(config, surroundings);
    await Promise.race([stopped, broken, proxy.untilUnusable(), remark.then(() => stopped)]);
  } catch (error) {
    throw explained(error, config);
  } finally {
    await inTime(proxy.close(GRACE_MS), CLOSE_MS);
  }
}

/** A homeserver that does not answer yet does not stop the start: it may come later. */
async function remarkIfHomeserverIsAway({ homeserver: { url } }: Config, { random, err }: Surroundings) {
  const homeserver = new HomeserverClient({ url, random, log: silentLog });
  try {
    await homeserver.check();
  } catch {
    err(`note: the homeserver at ${url} does not answer; requests are refused until it does`);
  } finally {
    await homeserver.close();
  }
}

/** Why it cannot listen, in words. */
function explained(error: unknown, config: Config): unknown {
  const { name, listen } = listenerOf(error, config);
  const place = `${listen.host}:${listen.port}`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new CommandFailed(`cannot listen on ${place}: another program does; set ${name} to a free port`);
    case 'EACCES':
      return new CommandFailed(`cannot listen on ${place}: this user may not; ports below 1024 need rights`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new CommandFailed(`cannot listen on ${place}: this machine has no such address`);
    default:
      return error;
  }
}

/** Which of our addresses could not be had: `listen`, unless it must be another one. */
function listenerOf(error: unknown, { listen, metrics, admin }: Config) {
  const { address, port, hostname } = error as Partial<Record<'address' | 'port' | 'hostname', unknown>>;
  const others = [
    { name: 'metrics.listen', listen: metrics.listen },
    { name: 'admin.listen', listen: admin.listen },
  ].flatMap(({ name, listen: at }) => (at === undefined ? [] : [{ name, listen: at }]));
  // A name that cannot be looked up comes without a port; one that can, as another address than was written.
  const isMeant = (at: ListenAddress) =>
    port === undefined
      ? at.host === hostname && at.host !== listen.host
      : at.port === port && (at.port !== listen.port || at.host === address);
  return others.find(({ listen: at }) => isMeant(at)) ?? { name: 'listen', listen };
}

/**
 * The last resort: an error that nothing handled leaves the process in a state that is not known, so it ends, as
 * after SIGTERM, and its supervisor starts it again. Any such error is a mistake in this program.
 *
 * @returns a promise that only ever rejects
 * @throws FailureLogged
 */
async function untilBroken({ untilFault }: Surroundings, log: ProcessLog): Promise<never> {
  const { error } = await untilFault();
  log.fatal({ err: error }, 'An error that nothing handled: this process ends and has to be started again');
  throw new FailureLogged('an error that nothing handled', { cause: error });
}
