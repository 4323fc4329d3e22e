/** Hashes of recovery codes take their full time in the suite that imports this: see `quick_argon2.ts`. */
globalThis.hashesAtFullCost = true;
