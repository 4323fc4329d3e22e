import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { type Config, ConfigError } from '../config/config.ts';
import { configFile, loadConfig } from '../config/load.ts';
import { readConfigSource } from '../config/source.ts';
import { BadValue, parseOrigin } from '../config/values.ts';
import { Installation } from '../doctor/installation.ts';
import { CHECKS } from '../doctor/list.ts';
import type { PublicView } from '../doctor/public_view.ts';
import {
  examine,
  examineOutside,
  inLines,
  type Report,
  reportUnusable,
  type Selection,
} from '../doctor/report.ts';
import { readSynapseFile } from '../doctor/synapse_file.ts';
import { Web } from '../doctor/web.ts';
import { isJsonObject } from '../matrix/wire.ts';
import { pageTexts } from '../pages/texts/own_texts.ts';
import { CommandFailed, FAILED, ReportPrinted, UsageError, WRONG_USE } from './failures.ts';
import { configOption, jsonOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';
import { jsonLines } from './text.ts';

/** How long a connection must live: a client waits for its sign-in page longer than a minute. */
const SLOW_SECONDS = 75;

interface DoctorOptions {
  readonly config?: string;
  readonly homeserverConfig?: string;
  readonly serverName?: string;
  readonly only?: string;
  readonly skip?: string;
  readonly slow?: true;
  readonly strict?: true;
  readonly json?: true;
  readonly outside?: string;
}

/** `doctor`: looks for what is wrong with an installation, and says what to change. */
export function doctorCommand(surroundings: Surroundings): Command {
  const ids = CHECKS.map(({ id, about, outside }) => `  ${`${id}${outside ? '*' : ''}`.padEnd(17)} ${about}`);
  return new Command('doctor')
    .description('look for what is wrong with the installation, and say what to change; changes nothing')
    .addOption(configOption())
    .option('--homeserver-config <file>', "Synapse's homeserver.yaml, to be looked at too")
    .option('--server-name <name>', 'what stands behind the colon of user ids, for the well-known document')
    .option('--only <ids>', 'only these checks, with commas between them')
    .option('--skip <ids>', 'not these checks')
    .option('--slow', `also what takes ${SLOW_SECONDS} seconds`)
    .option('--strict', 'exit code 1 for warnings, too')
    .option('--outside <url>', 'look at a public address from elsewhere, without a configuration')
    .addOption(jsonOption())
    .addHelpText('after', `\nChecks (docs/doctor.md; those with * also with --outside):\n${ids.join('\n')}`)
    .action((options: DoctorOptions) => doctor(options, surroundings));
}

async function doctor(options: DoctorOptions, surroundings: Surroundings): Promise<void> {
  const selection = { only: idsIn('--only', options.only), skip: idsIn('--skip', options.skip) };
  if (options.outside !== undefined) {
    const report = await lookFromOutside(options, options.outside, selection, surroundings);
    return tell(report, options, surroundings);
  }
  const file = configFile(options.config, surroundings.environment);
  try {
    const config = loadConfig(file, surroundings.environment);
    pageTexts(config.brand);
    tell(await examineHere({ config, file, options, selection }, surroundings), options, surroundings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const report = await reportUnusable(surroundings.clock.now(), file, error.message);
    print(report, options, surroundings);
    throw new ReportPrinted(WRONG_USE);
  }
}

/** An installation with its configuration, and what is asked about it. */
export interface Examination {
  readonly config: Config;
  readonly file: string;
  readonly options: Pick<DoctorOptions, 'homeserverConfig' | 'serverName' | 'slow'>;
  readonly selection: Selection;
}

export async function examineHere(
  { config, file, options, selection }: Examination,
  surroundings: Surroundings,
): Promise<Report> {
  const web = new Web();
  const installation = new Installation({
    config,
    configFile: file,
    secretFiles: secretFilesIn(config, file, surroundings),
    clock: surroundings.clock,
    random: surroundings.random,
    web,
    synapseFile:
      options.homeserverConfig === undefined ? undefined : readSynapseFile(options.homeserverConfig),
    ...askedFor(options, surroundings),
  });
  try {
    return await examine(installation, selection);
  } finally {
    await installation.close();
    web.close();
  }
}

async function lookFromOutside(
  options: DoctorOptions,
  url: string,
  selection: Selection,
  surroundings: Surroundings,
): Promise<Report> {
  const publicUrl = originIn(url);
  const web = new Web();
  try {
    const first = await web.ask(publicUrl, { target: '/_matrix/client/versions' });
    if (!first.answered) throw new CommandFailed(`${publicUrl} does not answer: ${first.why}`);
    const view: PublicView = {
      publicUrl,
      web,
      nowMs: () => surroundings.clock.now(),
      ...askedFor(options, surroundings),
    };
    return await examineOutside(view, selection);
  } finally {
    web.close();
  }
}

function askedFor(
  { serverName, slow }: Pick<DoctorOptions, 'serverName' | 'slow'>,
  surroundings: Surroundings,
) {
  if (serverName !== undefined && !URL.canParse(`https://${serverName}/`)) {
    throw new UsageError(`--server-name ${serverName} is not a server name, as in example.org`);
  }
  return {
    serverName,
    slowSeconds: slow === true ? SLOW_SECONDS : undefined,
    furtherCertificates: furtherCertificates(surroundings),
  };
}

/** As Node itself takes them: https://nodejs.org/api/cli.html#node_extra_ca_certsfile */
function furtherCertificates({ environment }: Surroundings): string | undefined {
  const file = environment.NODE_EXTRA_CA_CERTS;
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function originIn(url: string): string {
  try {
    return parseOrigin(url);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`--outside ${error.message}`);
    throw error;
  }
}

/** @throws UsageError */
function idsIn(option: string, list: string | undefined): string[] | undefined {
  if (list === undefined) return undefined;
  const ids = list.split(',').map((id) => id.trim());
  const unknown = ids.find((id) => !CHECKS.some((check) => check.id === id));
  if (unknown !== undefined)
    throw new UsageError(`${option}: there is no check "${unknown}"; see doctor --help`);
  return ids;
}

/** Besides the key file and the database: passwords, tokens, registrations of application services, a password in the URL. */
function secretFilesIn({ storage }: Config, file: string, { environment }: Surroundings): string[] {
  const { application_services: services, notify } = readConfigSource(file, environment).settings;
  const written = [
    services,
    ...NOTIFY_SECRETS.map(([channel, name]) => inside(inside(notify, channel), name)),
  ];
  const registrations = written.flat().filter((path) => typeof path === 'string');
  if (storage.type === 'sqlite') return inFolderOf(file, registrations);
  const password = storage.passwordFile === undefined ? [] : [storage.passwordFile];
  return [
    ...inFolderOf(file, registrations),
    ...password,
    ...(new URL(storage.url).password === '' ? [] : [file]),
  ];
}

const NOTIFY_SECRETS = [
  ['mail', 'password_file'],
  ['matrix', 'access_token_file'],
  ['webhook', 'secret_file'],
  ['sms', 'secret_file'],
] as const;

function inside(section: unknown, name: string): unknown {
  return isJsonObject(section) ? section[name] : undefined;
}

function inFolderOf(file: string, paths: readonly string[]): string[] {
  return paths.map((path) => resolve(dirname(resolve(file)), path));
}

/** @throws ReportPrinted if something was found that the operator asked to fail for */
export function tell(
  report: Report,
  options: { readonly strict?: true; readonly json?: true },
  surroundings: Surroundings,
): void {
  print(report, options, surroundings);
  const fails = report.verdict === 'fail' || (options.strict === true && report.verdict === 'warn');
  if (fails) throw new ReportPrinted(FAILED);
}

function print(report: Report, { json }: { readonly json?: true }, { out }: Surroundings): void {
  out(...(json === true ? jsonLines(report) : inLines(report)));
}
