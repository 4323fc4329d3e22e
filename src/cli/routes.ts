import { Command } from 'commander';
import { UsageError } from './failures.ts';
import { jsonOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';
import { jsonLines } from './text.ts';
import { LISTS, listsAsJson, type WebServer } from './web_server_lists.ts';

type RoutesOptions = { readonly json?: true } & { readonly [Server in WebServer]?: true };

const SERVERS = Object.keys(LISTS) as WebServer[];

/** `routes`: which paths a web server sends where, in the words of its configuration. */
export function routesCommand({ out }: Surroundings): Command {
  const command = new Command('routes')
    .description(
      'print which paths a web server sends to the proxy, and which may go straight to the homeserver',
    )
    .addOption(jsonOption());
  for (const server of SERVERS) command.option(`--${server}`, `as lines for ${server}`);
  return command.action((options: RoutesOptions) => {
    const asked = SERVERS.filter((server) => options[server]);
    const [server] = asked;
    if (asked.length + (options.json ? 1 : 0) !== 1) {
      throw new UsageError(`give one of --json ${SERVERS.map((each) => `--${each}`).join(' ')}`);
    }
    if (server === undefined) return out(...jsonLines(listsAsJson()));
    const write = LISTS[server];
    return out('# full', ...write('full'), '', '# selective', ...write('selective'));
  });
}
