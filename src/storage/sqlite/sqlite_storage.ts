import type { Storage } from '../stores.ts';
import { SqliteAuditStore } from './audit_store.ts';
import { Connection } from './connection.ts';
import { SqliteFactorStore } from './factor_store.ts';
import { SqliteFreshLoginStore } from './fresh_login_store.ts';
import { GroupCommit } from './group_commit.ts';
import { SqliteHoldStore } from './hold_store.ts';
import { SqliteLoginTokenStore } from './login_token_store.ts';
import { SqliteSessionStore } from './session_store.ts';
import { SqliteSessionTurnStore } from './session_turn_store.ts';
import { SqliteSignInTokenStore } from './sign_in_token_store.ts';
import { SqliteThrottleStore } from './throttle_store.ts';

/**
 * Opens the store in an SQLite file, which is made (with its directory, for its owner only) where it is missing
 * and migrated where it is older. Several processes may have the same file open.
 * @param path - the file, or `:memory:`.
 * @throws {StoreUnavailable} it cannot be opened now.
 * @throws {SchemaTooNew} a newer version of this program wrote it.
 */
export async function openSqliteStorage({ path }: { readonly path: string }): Promise<Storage> {
  const connection = Connection.open(path);
  const commits = new GroupCommit(connection);
  return {
    factors: new SqliteFactorStore(connection, commits),
    throttle: new SqliteThrottleStore(connection, commits),
    sessions: new SqliteSessionStore(connection, commits),
    sessionTurns: new SqliteSessionTurnStore(connection, commits),
    holds: new SqliteHoldStore(connection, commits),
    loginTokens: new SqliteLoginTokenStore(commits),
    signInTokens: new SqliteSignInTokenStore(connection, commits),
    freshLogins: new SqliteFreshLoginStore(connection, commits),
    audit: new SqliteAuditStore(connection, commits),
    check: () =>
      commits.write((db) => {
        db.run('UPDATE store_checks SET checks = checks + 1');
      }),
    close: async () => {
      commits.finish();
      connection.close();
    },
  };
}
