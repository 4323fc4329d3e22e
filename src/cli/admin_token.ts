import { Command } from 'commander';
import {
  addToken,
  isOver,
  isScope,
  readTokens,
  removeToken,
  SCOPES,
  type Scope,
} from '../admin/token_file.ts';
import type { OwnEvent } from '../audit/events.ts';
import type { Config } from '../config/config.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { operatorAudit } from './operator_audit.ts';
import { configFrom, configOption, jsonOption, requireDuration } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { day, jsonLines, table } from './text.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const LONGEST_LIFE = '3650d';

interface CreateOptions {
  readonly config?: string;
  readonly scope: string;
  readonly expires?: string;
}

/** `admin token`: what programs of the operator use the admin API with. */
export function adminTokenCommand(surroundings: Surroundings): Command {
  return new Command('token')
    .description('tokens for the admin API')
    .addCommand(createCommand(surroundings))
    .addCommand(listCommand(surroundings))
    .addCommand(revokeCommand(surroundings));
}

function createCommand(surroundings: Surroundings): Command {
  return new Command('create')
    .description('make a token, and print it once')
    .argument('<name>', 'by which it stands in the audit')
    .requiredOption('--scope <scopes>', `what it is for, parted by commas: ${SCOPES.join(', ')}`)
    .option('--expires <duration>', 'until when it is good, e.g. 90d; left out, until it is revoked')
    .addOption(configOption())
    .action((name: string, options: CreateOptions) => create(name, options, surroundings));
}

async function create(name: string, options: CreateOptions, surroundings: Surroundings): Promise<void> {
  requireName(name);
  const scopes = requireScopes(options.scope);
  const range = { min: '1s', max: LONGEST_LIFE };
  const lifeMs =
    options.expires === undefined ? undefined : requireDuration('--expires', options.expires, range);
  const config = configFrom(options.config, surroundings);
  const { tokensFile } = config.admin;
  if (readTokens(tokensFile).some((token) => token.name === name)) throw isThere(name);
  await record(config, surroundings, 'admin.token_created', { name, scopes: scopes.join(' ') });
  const createdAt = surroundings.clock.now();
  const expiresAt = lifeMs === undefined ? null : createdAt + lifeMs;
  const text = addToken(tokensFile, { name, scopes, createdAt, expiresAt }, surroundings.random);
  if (text === undefined) throw isThere(name);
  surroundings.out(text);
}

function isThere(name: string): CommandFailed {
  return new CommandFailed(`there is a token ${name}: revoke it, or take another name`);
}

function listCommand(surroundings: Surroundings): Command {
  return new Command('list')
    .description('list the tokens; none of them can be shown again')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(({ config: asked, json }: { config?: string; json?: boolean }) => {
      const now = surroundings.clock.now();
      const listed: ListedToken[] = readTokens(configFrom(asked, surroundings).admin.tokensFile).map(
        (token) => ({
          name: token.name,
          scopes: token.scopes,
          created_at: token.createdAt,
          expires_at: token.expiresAt,
          expired: isOver(token, now),
        }),
      );
      surroundings.out(...(json === true ? jsonLines(listed) : asTable(listed)));
    });
}

interface ListedToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly expired: boolean;
}

function asTable(tokens: readonly ListedToken[]): string[] {
  if (tokens.length === 0) return ['There is no token.'];
  const rows = tokens.map(({ name, scopes, created_at, expires_at, expired }) => [
    ...[name, scopes.join(' '), day(created_at)],
    expires_at === null ? 'never' : `${day(expires_at)}${expired ? ' (over)' : ''}`,
  ]);
  return table(['NAME', 'SCOPES', 'CREATED', 'EXPIRES'], rows);
}

function revokeCommand(surroundings: Surroundings): Command {
  return new Command('revoke')
    .description('take a token back; it is refused within a second')
    .argument('<name>')
    .addOption(configOption())
    .action(async (name: string, { config: asked }: { config?: string }) => {
      const config = configFrom(asked, surroundings);
      // Before its record: what is taken back must not wait for a database that is away.
      if (!removeToken(config.admin.tokensFile, name)) throw new CommandFailed(`there is no token ${name}`);
      surroundings.out(`The token ${name} is revoked.`);
      await record(config, surroundings, 'admin.token_revoked', { name });
    });
}

function requireName(name: string): void {
  if (NAME.test(name)) return;
  throw new UsageError('a name has letters, digits, ".", "_" and "-", 64 at most');
}

function requireScopes(text: string): Scope[] {
  const scopes = text.split(',').map((each) => each.trim());
  const odd = scopes.find((each) => !isScope(each));
  if (odd !== undefined) throw new UsageError(`"${odd}" is not a scope; there are ${SCOPES.join(', ')}`);
  return SCOPES.filter((scope) => scopes.includes(scope));
}

/** It is about no user. */
function record(
  config: Config,
  surroundings: Surroundings,
  event: OwnEvent,
  detail: Readonly<Record<string, string>>,
): Promise<unknown> {
  return withStore(config, surroundings, async (storage) => {
    const audit = await operatorAudit(config, storage, surroundings);
    await audit.record({ event, detail });
  });
}
