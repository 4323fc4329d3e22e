import { Command } from 'commander';
import { configFile } from '../config/load.ts';
import { remarksOn } from '../config/remarks.ts';
import { ONLINE_IDS } from '../doctor/list.ts';
import { missingTexts } from '../pages/texts/own_texts.ts';
import { readKeys } from '../vault/key_source.ts';
import { examineHere, tell } from './doctor.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';

interface CheckOptions {
  readonly config?: string;
  readonly online?: true;
  readonly json?: true;
}

/** `check-config`: reads what `serve` would read, and starts nothing. */
export function checkConfigCommand(surroundings: Surroundings): Command {
  return new Command('check-config')
    .description('check the configuration and the keys, and start nothing')
    .addOption(configOption())
    .option('--online', 'also look at database, keys, homeserver and clocks, as doctor does')
    .addOption(jsonOption())
    .action((options: CheckOptions) => checkConfig(options, surroundings));
}

async function checkConfig(options: CheckOptions, surroundings: Surroundings): Promise<void> {
  const file = configFile(options.config, surroundings.environment);
  const config = configFrom(options.config, surroundings);
  if (options.online !== true && options.json !== true) {
    await readKeys(config.keys.source);
    const remarks = [...remarksOn(config), ...missingTexts(config.brand)];
    for (const remark of remarks) surroundings.err(`note: ${remark}`);
    surroundings.out(`${file} is fine.`);
    return;
  }
  const only = ['config', 'files', ...(options.online === true ? ONLINE_IDS : ['keys'])];
  const report = await examineHere({ config, file, options: {}, selection: { only } }, surroundings);
  tell({ ...report, checks: report.checks.filter(({ id }) => only.includes(id)) }, options, surroundings);
}
