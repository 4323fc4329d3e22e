import { availableParallelism } from 'node:os';

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: '<rootDir>/test/support/run_setup.mjs',
  testSequencer: '<rootDir>/test/support/suites_in_order.mjs',
  globalTeardown: '<rootDir>/test/support/run_teardown.mjs',
  moduleNameMapper: { '^@node-rs/argon2$': '<rootDir>/test/support/quick_argon2.ts' },
  transform: { '^.+\\.ts$': '@swc/jest' },
  // Two at least: many suites wait for Synapse or a browser, and one worker would wait with them.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // Modules of ended suites stay in the memory of a worker, and collecting garbage among them takes it most of its time.
  workerIdleMemoryLimit: '500MB',
  // What hangs ends, and nothing else does: the longest tests, which kill a process once for each of its steps, take a minute
  // alone, and several times that on a machine that is busy with other things. No test has a shorter limit of its own.
  testTimeout: 300_000,
};
