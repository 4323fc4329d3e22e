import { type Storage, StoreUnavailable } from './stores.ts';

type Stores = Omit<Storage, 'commit' | 'read' | 'check' | 'close'>;

/** The parts of a storage that are stores; the type misses none. */
const STORES: Readonly<Record<keyof Stores, true>> = {
  factors: true,
  throttle: true,
  sessions: true,
  sessionTurns: true,
  holds: true,
  loginTokens: true,
  signInTokens: true,
  freshLogins: true,
  audit: true,
};

/**
 * A storage that may not be there yet: every use tries to open it until that worked, and is refused meanwhile
 * (DESIGN §9: gated routes answer 503, everything else flows).
 * @param open rejects with `StoreUnavailable` while the store is not there; any other failure is final
 * @throws whatever final failure the first try ends in
 */
export async function openWhenThere(open: () => Promise<Storage>): Promise<Storage> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return awaited(open);
  }
}

function awaited(open: () => Promise<Storage>): Storage {
  let opened: Promise<Storage> | undefined;
  const storage = (): Promise<Storage> => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable(error);
    });
    return opened;
  };
  const names = Object.keys(STORES) as (keyof Stores)[];
  const stores = Object.fromEntries(
    names.map((name) => [name, forwarding(async () => (await storage())[name])]),
  );
  const { commit, read } = forwarding(storage) as Pick<Storage, 'commit' | 'read'>;
  return {
    ...(stores as unknown as Stores),
    commit,
    read,
    check: async () => (await storage()).check(),
    close: async () => {
      const there = await opened?.catch(() => undefined);
      await there?.close();
    },
  };
}

/** An object each of whose methods asks the one of `target`. */
function forwarding(target: () => Promise<object>): object {
  return new Proxy(
    {},
    {
      get:
        (_object, method) =>
        async (...args: unknown[]) => {
          const store = (await target()) as Record<PropertyKey, (...given: unknown[]) => unknown>;
          return store[method]?.(...args);
        },
    },
  );
}
