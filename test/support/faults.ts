/**
 * Loaded before `serve` by the test of its last resort: two signals become the faults that nothing handles. The
 * program itself has no such switch.
 */
const SECRET = 'syt_Ym9i_abcDEF123_456';

process.on('SIGUSR2', () => {
  setImmediate(() => {
    throw new Error(`a planted exception with ${SECRET}`);
  });
});
process.on('SIGALRM', () => {
  // Nothing listens to it: that is the fault.
  void Promise.reject(new Error(`a planted rejection with ${SECRET}`));
});
