/** Before the first suite of a run: gives it a name that all workers know, so that they can share a server. */
export default function setUp() {
  process.env.M2FA_TEST_RUN = String(process.pid);
}
