import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { configFile } from '../config/load.ts';
import { readKeys } from '../vault/key_source.ts';
import { configFrom, configOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';

/** `check-config`: reads what `serve` would read, and starts nothing. */
export function checkConfigCommand(surroundings: Surroundings): Command {
  return new Command('check-config')
    .description('check the configuration and the keys, and start nothing')
    .addOption(configOption())
    .action(async ({ config: asked }: { config?: string }) => {
      const config = configFrom(asked, surroundings);
      await readKeys(config.keys.source);
      for (const remark of remarksOn(config)) surroundings.err(`note: ${remark}`);
      surroundings.out(`${configFile(asked, surroundings.environment)} is fine.`);
    });
}

/** Settings that are valid but seldom intended. */
function remarksOn(config: Config): string[] {
  const remarks: string[] = [];
  if (config.publicBaseUrl.startsWith('https:') && config.trustedProxies.length === 0) {
    remarks.push(
      'trusted_proxies is empty: behind a web server all clients would seem to have its address and share one limit',
    );
  }
  if (!config.login.appendedCode && !config.login.sso) {
    remarks.push(
      'login.appended_code and login.sso are both off: users with 2FA can sign in only with clients that know it',
    );
  }
  return remarks;
}
