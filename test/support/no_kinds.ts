import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { TestApp } from './app.ts';

/** From now on this user must set a factor up, and may add no kind of factor that the pages know: no file can say so. */
export async function requireOfNoKind(app: TestApp, userId: string): Promise<void> {
  const config = loadConfig(join(app.directory, 'config.yaml'), {});
  const users = { ...config.policy.users, [userId]: { mode: 'required', factors: [] } } as const;
  await app.proxy.reload({ ...config, policy: { ...config.policy, users } });
}
