/** Does acts and puts each on record, several at once, until it is killed; writes a line for each that is durable. */
import { chainSeals } from '../../src/audit/macs.ts';
import { Chain } from '../../src/storage/chain.ts';
import { openStorage } from '../../src/storage/open_storage.ts';
import { decide, when } from '../../src/storage/statement.ts';
import { systemClock } from '../../src/system/clock.ts';
import { randomId, systemRandom } from '../../src/system/random.ts';
import { record } from '../support/entries.ts';
import { testVault } from '../support/test_vault.ts';

const [address = ''] = process.argv.slice(2);
const storage = await openStorage(
  address.startsWith('postgres')
    ? { type: 'postgres', url: address, tls: 'disable', pool: 4 }
    : { type: 'sqlite', path: address },
  { clock: systemClock, random: systemRandom },
);
const chain = new Chain(chainSeals(testVault()));

async function actOnAndOn(): Promise<never> {
  for (;;) {
    const key = randomId(systemRandom);
    const act = decide('INSERT INTO leases (key, holder, until_at) VALUES (:key, :key, 0)', { key });
    const entry = record({ at: systemClock.now(), userId: '@bob:hs', event: 'totp.used', detail: { key } });
    await storage.commit(
      ['@bob:hs'],
      when(act, { won: [{ does: 'enter', record: entry, chain }], lost: [] }),
    );
    process.stdout.write(`${key}\n`);
  }
}

await Promise.all(Array.from({ length: 3 }, actOnAndOn));
