import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { listDevicePasswords } from '../../src/storage/tables/device_passwords.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { codeNow } from '../support/enrolment.ts';
import { call } from '../support/http.ts';
import { preloaded, ServeProcess } from '../support/serve_process.ts';
import { API, PASSWORD } from './bot.ts';

/** What was seen of a device password that was made and revoked, until the process died. */
interface CutOff {
  /** The points that were passed, the last one the one at which the process died. */
  readonly points: readonly string[];
  readonly isRevoked: boolean;
  /** Devices that no row knows. */
  readonly left: readonly string[];
}

describeOnSharedDatabases('kill -9', (start) => {
  let app: TestApp;
  let running: ServeProcess | undefined;

  beforeAll(async () => {
    app = await start();
  });

  afterEach(async () => {
    await running?.kill();
    running = undefined;
  });

  async function killedAt(point: number): Promise<CutOff> {
    const name = `user${point}`;
    const userId = `@${name}:localhost`;
    app.stub.addUser({ name, password: PASSWORD });
    app.clock.set(Date.now());
    const { seed } = await app.enrol(name);
    const { token } = app.stub.signIn(name, 'PHONE');
    const serve = await ServeProcess.start(join(app.directory, 'config.yaml'), {
      preload: [preloaded('fault_points', { at: String(point) })],
    });
    running = serve;
    let isRevoked = false;
    try {
      const identifier = { type: 'm.id.user', user: userId };
      const auth = { type: 'm.login.password', identifier, password: `${PASSWORD} ${codeNow(seed)}` };
      const made = await call(serve.url, { target: API, token, json: { name: 'bot', auth } });
      const revoking = { method: 'DELETE', target: `${API}/${made.json.id}`, token };
      isRevoked = (await call(serve.url, revoking)).status === 200;
    } catch {
      // The connection went with the process.
    }
    await serve.kill();
    running = undefined;

    app.clock.set(Date.now());
    // A sweep that died keeps its lease for a while.
    app.clock.advance(10 * 60_000);
    await app.proxy.keepHouse();
    const known = (await app.storage.read(listDevicePasswords(userId))).map(({ deviceId }) => deviceId);
    const devices = app.stub.devicesOf(name).map(({ deviceId }) => deviceId);
    const points = serve.log.split('\n').flatMap((line) => /^point \d+: (.+)$/.exec(line)?.[1] ?? []);
    return { points, isRevoked, left: devices.filter((id) => id !== 'PHONE' && !known.includes(id)) };
  }

  test('attack 227: kill -9 at every point of creation and revocation leaves no device that no row knows', async () => {
    const leaving: string[] = [];
    for (let point = 1; ; point += 1) {
      const { points, isRevoked, left } = await killedAt(point);
      if (left.length > 0) leaving.push(`${point} ${points.at(-1)}`);
      if (points.length >= point) continue;
      expect(isRevoked).toBe(true);
      break;
    }
    // The gap that docs/security_model.md names ("A crash at the wrong moment").
    expect(leaving).toEqual(['1 POST login']);
  });
});
