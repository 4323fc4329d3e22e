import { call, rawExchange } from '../support/http.ts';
import type { StubHomeserver } from '../support/stub/stub.ts';
import type { ProbedHomeserver } from './probe.ts';

/** A stub as the probes see a homeserver. */
export function probedStub(stub: StubHomeserver): ProbedHomeserver {
  let made = 0;
  return {
    serverName: stub.serverName,
    call: (what) => call(stub.url, what),
    raw: (bytes) => rawExchange(stub.url, bytes),
    newUser: async (given = {}) => {
      made += 1;
      const name = `user${made}`;
      const { password = `a long password of ${name}`, email } = given;
      const { userId } = stub.addUser({ name, password, emails: email ? [`${name}@x.org`] : [] });
      const { token, deviceId } = stub.signIn(name);
      return { name, userId, password, token, deviceId };
    },
  };
}
