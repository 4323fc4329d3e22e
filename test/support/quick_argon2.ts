/**
 * What `@node-rs/argon2` is in the tests (jest.config.mjs): the same function at its least cost, as hashes would be half
 * of the time that the tests take. The cost that the code asks for must be the one that is promised. A suite that is
 * about that cost, or that shares its database with a process of its own, imports `full_argon2.ts`.
 */
import { type Options, hashRaw as realHashRaw } from '../../node_modules/@node-rs/argon2/index.js';

export { verify } from '../../node_modules/@node-rs/argon2/index.js';

/** docs/security_model.md */
const PROMISED = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };
const LEAST = { memoryCost: 8, timeCost: 1 };

declare global {
  var hashesAtFullCost: boolean | undefined;
}

export function hashRaw(text: string, options: Options): Promise<Buffer> {
  for (const [name, value] of Object.entries(PROMISED)) {
    if (options[name as keyof Options] !== value) throw new Error(`Argon2: ${name} is not ${value}`);
  }
  return realHashRaw(text, globalThis.hashesAtFullCost === true ? options : { ...options, ...LEAST });
}
