import { StoreUnavailable } from './errors.ts';
import type { Driver } from './statement.ts';
import { type Storage, storageOn } from './storage.ts';

/** A storage that may not be there yet. */
export interface AwaitedStorage {
  readonly storage: Storage;
  /** Only ever rejects: it is there now, and cannot be used. It need not be waited for. */
  readonly unusable: Promise<never>;
}

/**
 * A storage that may not be there yet: each use tries to open it until that has worked, and is refused meanwhile
 * (R9: gated routes answer 503, everything else goes on).
 * @param open rejects with `StoreUnavailable` while the store is not there; any other failure is final
 * @param onAway is told why the store is not there at the start
 * @throws whatever final failure the first try ends in
 */
export async function openWhenThere(
  open: () => Promise<Storage>,
  onAway: (error: StoreUnavailable) => void,
): Promise<AwaitedStorage> {
  let tell: (error: unknown) => void = () => undefined;
  const unusable = new Promise<never>((_resolve, reject) => {
    tell = reject;
  });
  unusable.catch(() => undefined);
  try {
    return { storage: await open(), unusable };
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    onAway(error);
    return { storage: storageOn(awaited(open, tell)), unusable };
  }
}

function awaited(open: () => Promise<Driver>, onUnusable: (error: unknown) => void): Driver {
  let opened: Promise<Driver> | undefined;
  let there: Driver | undefined;
  const driver = (): Promise<Driver> => {
    opened ??= open().then(
      (found) => {
        there = found;
        return found;
      },
      (error: unknown) => {
        opened = undefined;
        if (error instanceof StoreUnavailable) throw error;
        onUnusable(error);
        throw new StoreUnavailable(error);
      },
    );
    return opened;
  };
  const aside = async () => {
    const found = await driver();
    return found.aside?.() ?? found;
  };
  return {
    pool: () => there?.pool?.(),
    aside: () => using(aside, async () => undefined),
    ...using(driver, async () => {
      await (await opened?.catch(() => undefined))?.close();
    }),
  };
}

function using(driver: () => Promise<Driver>, close: () => Promise<void>): Driver {
  return {
    commit: async (accounts, unit) => (await driver()).commit(accounts, unit),
    read: async (query) => (await driver()).read(query),
    check: async () => (await driver()).check(),
    close,
  };
}
