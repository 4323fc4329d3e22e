import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.ts';
import { call } from '../support/http.ts';

/** The requests of which docs/install.md says that they must print 404. */
const LINES = [
  ...readFileSync('docs/install.md', 'utf8').matchAll(
    /^code (?:-X (?<method>[A-Z]+) )?https:\/\/matrix\.example\.org(?<target>\/\S+)$/gm,
  ),
].map(({ groups }) => ({ method: groups?.method ?? 'GET', target: groups?.target ?? '' }));

describe('what docs/install.md tells operators to look at', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ personality: 'tuwunel', oauth: true });
    // A homeserver that has every page of every other one.
    app.stub.override(/./, () => ({ status: 200, body: { served: true } }));
  });
  afterAll(() => app.stop());

  test('names every path that must not reach a homeserver', () => {
    expect(LINES.map(({ target }) => target)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\/_continuwuity\/account\//),
        expect.stringMatching(/^\/_continuwuity\/oauth2\//),
        expect.stringMatching(/^\/_tuwunel\/oidc\//),
        expect.stringMatching(/^\/_tuwunel\/sso\//),
        expect.stringMatching(/^\/_synapse\/admin\//),
        expect.stringMatching(/^\/_synapse\/mas\//),
        expect.stringMatching(/^\/_dendrite\//),
        '/.well-known/openid-configuration',
      ]),
    );
  });

  test.each(LINES)('$method $target is 404 through the proxy, and was there to be had', async (request) => {
    app.stub.clear();
    expect(await call(app.stub.url, request)).toMatchObject({ status: 200 });
    app.stub.clear();
    expect(await app.call(request)).toMatchObject({ status: 404, json: { errcode: 'M_UNRECOGNIZED' } });
    expect(app.stub.requests).toEqual([]);
  });
});
