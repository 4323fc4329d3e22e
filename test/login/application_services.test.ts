import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.ts';

const LISTED = 'as_listed';
const UNLISTED = 'as_unlisted';
const GHOST = '%40irc_ghost%3Alocalhost';

let app: TestApp;

beforeEach(async () => {
  const registration = join(tmpdir(), `registration-${process.pid}.yaml`);
  writeFileSync(registration, `id: irc\nas_token: ${LISTED}\nhs_token: x\nsender_localpart: bridge\n`);
  app = await startApp({
    config: `application_services: [${registration}]`,
    applicationServices: [
      { token: LISTED, senderLocalpart: 'bridge', prefix: 'irc_' },
      { token: UNLISTED, senderLocalpart: 'other', prefix: 'other_' },
    ],
  });
});

afterEach(() => app.stop());

test.each([
  '/_matrix/client/v3/logout/all',
  '/_matrix/client/v3/logout',
  '/_matrix/client/v3/delete_devices',
])('R2: a listed application service acts for its user on %s', async (path) => {
  await app.post(`${path}?user_id=${GHOST}`, { devices: ['ABC'] }, LISTED);
  expect(app.stub.requests.map(({ target }) => target)).toContain(`${path}?user_id=${GHOST}`);
});

test.each(['/_matrix/client/v3/logout/all', '/_matrix/client/v3/delete_devices'])(
  'attack 22: an unlisted application service has no rights on %s',
  async (path) => {
    await app.post(`${path}?user_id=${GHOST}`, { devices: ['ABC'] }, UNLISTED);
    for (const { target } of app.stub.requests) expect(target).not.toContain('user_id');
  },
);
