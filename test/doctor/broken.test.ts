import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { createProxy } from '../../src/server/proxy.ts';
import { hasWebServer, startWebServer } from '../deploy/web_server.ts';
import { HARMFUL } from '../support/hostile_text.ts';
import { BROKEN, wellRegistered } from './broken.ts';
import { checkIn, findings, hasNginx, type Scene, startScene } from './scene.ts';

/** What a web server sends to the proxy for OAuth besides. */
const FURTHER = 'location ~ ^/\\.well-known/(oauth-authorization-server|openid-configuration)$';

const suite = hasNginx() ? describe : describe.skip;

suite('an installation with one thing wrong', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await startScene();
  });
  afterAll(() => scene.stop());

  test('nothing is found in a right one, and it says so in one line', async () => {
    const { code, report, err } = await scene.doctor();
    expect({ code, err, findings: findings(report), verdict: report.verdict }).toEqual({
      code: 0,
      err: '',
      findings: [],
      verdict: 'ok',
    });
    expect(report.checks.filter(({ verdict }) => verdict === 'skipped').map(({ id }) => id)).toEqual([
      'timeouts',
      'listeners',
      'appservice',
      'notify',
      'oauth',
    ]);
    const { out } = await scene.type('doctor');
    expect(out).toMatch(/^Nothing found\. Checked: config, files, .*; skipped: rc-login, .*\.$/);
  });

  test.each(BROKEN)('$what: $finds, and only that', async ({ examine, finds, says }) => {
    const { code, report } = await examine(scene);
    expect(findings(report)).toEqual([finds]);
    const [verdict = '', id = ''] = finds.split(' ');
    const { found, fix, tried } = checkIn(report, id);
    expect(found).toMatch(says);
    expect([fix === '', tried.length === 0]).toEqual([false, false]);
    expect([report.verdict, code]).toEqual([verdict, verdict === 'fail' ? 1 : 0]);
  });

  test('OAuth: two logins without a registration, and a homeserver that has it itself', async () => {
    const ours = (text: string) =>
      text.replace('public_base_url', 'oauth: { enabled: true }\npublic_base_url');
    await scene.configured(ours, async () => {
      const other = await createProxy(loadConfig(scene.configFile, {}));
      try {
        const { port } = new URL(await other.listen());
        const found = await scene.behind(
          (nginx) =>
            nginx
              .replaceAll(`:${scene.behindWebServers.proxy}`, `:${port}`)
              .replace('# more', `${FURTHER} { proxy_pass http://127.0.0.1:${port}; }`),
          async () => {
            const { report } = await scene.doctor('--only', 'oauth');
            scene.stub.switches.oauth = true;
            return [report, (await scene.doctor('--only', 'oauth')).report];
          },
        );
        expect(found.flatMap(findings)).toEqual(['warn oauth', 'fail oauth']);
        expect(found.map((report) => checkIn(report, 'oauth').found)).toEqual([
          expect.stringContaining('without homeserver.appservice each sign-in takes two logins'),
          'the homeserver has an OAuth of its own, so oauth.enabled has no effect',
        ]);
      } finally {
        scene.stub.switches.oauth = false;
        await other.close(0);
      }
    });
  });

  test('attack 246: a registration that works is found right, and its token is in no report', async () => {
    const { report, out, err } = await wellRegistered(scene);
    expect(findings(report)).toEqual([]);
    expect(checkIn(report, 'appservice')).toMatchObject({ verdict: 'ok' });
    expect(out + err).not.toContain('token_of_our_registration');
  });

  test('the contact that the homeserver names is enough, if it can be followed', async () => {
    const page = 'https://example.org/support';
    const found = async (document: JsonObject) => {
      const restore = scene.stub.override(/GET \/\.well-known\/matrix\/support/, () => ({
        status: 200,
        body: document,
      }));
      const { report } = await scene.configured(
        (config) => config.replace('brand:', '# brand:'),
        () => scene.doctor('--only', 'contact'),
      );
      restore();
      return checkIn(report, 'contact');
    };
    expect(await found({ support_page: page })).toMatchObject({
      verdict: 'ok',
      found: `the homeserver names ${page}`,
    });
    expect(await found({ support_page: 'ftp://example.org' })).toMatchObject({ verdict: 'warn' });
  });

  const shipped = (['nginx', 'haproxy', 'caddy'] as const).filter(hasWebServer);
  const topologies = ['full', 'selective'] as const;
  test.each(shipped.flatMap((server) => topologies.map((topology) => ({ server, topology }))))(
    'nothing is found behind the shipped file for $server, $topology',
    async ({ server, topology }) => {
      const front = await startWebServer(server, topology, scene.behindWebServers, (shipped) =>
        shipped.replaceAll('matrix.example.org', '127.0.0.1'),
      );
      const found = await scene.configured(
        (config) => config.replace(scene.publicUrl, front.clients),
        // Its address and certificate are made up for the test: serve names another one.
        () => scene.doctor('--skip', 'well-known,tls'),
      );
      await front.stop();
      expect(findings(found.report)).toEqual([]);
      expect(checkIn(found.report, 'routes').verdict).toBe('ok');
    },
  );

  test('a certificate that ends within two weeks', async () => {
    const { report } = await scene.withCertificate('IP:127.0.0.1', 5, () => scene.doctor());
    expect(findings(report)).toEqual(['warn tls']);
    expect(checkIn(report, 'tls').found).toMatch(/ends in [45] days/);
  });

  test('a web server that cuts late answers off: only with --slow', async () => {
    const cut = await scene.behind(
      (nginx) => nginx.replace('proxy_read_timeout 15m', 'proxy_read_timeout 1s'),
      async () => ({ quick: await scene.doctor(), slow: await scene.slowly(2) }),
    );
    expect(findings(cut.quick.report)).toEqual([]);
    expect(findings(cut.slow)).toEqual(['fail timeouts']);
    expect(checkIn(cut.slow, 'timeouts').found).toContain('an answer that takes 2 s is cut off (504)');
    expect(findings(await scene.slowly(1))).toEqual([]);
  });

  test('from elsewhere only what can be seen there is looked at', async () => {
    const right = await scene.outside();
    expect([right.code, findings(right.report)]).toEqual([0, []]);
    expect(checkIn(right.report, 'keys').verdict).toBe('skipped');
    const broken = await scene.behind(
      (nginx) => nginx.replace('# more', 'location ^~ /_matrix/ { proxy_pass $homeserver; }'),
      () => scene.outside(),
    );
    expect([broken.code, findings(broken.report)]).toEqual([1, ['fail odd-targets']]);
    const admin = await scene.behind(
      (nginx) => nginx.replace('# more', 'location ^~ /_synapse/ { proxy_pass $homeserver; }'),
      () => scene.outside(),
    );
    expect([admin.code, findings(admin.report)]).toEqual([1, ['fail native-pages']]);
  });

  test('what others wrote cannot command the terminal, and no secret is shown', async () => {
    const name = '\u001b[2J\u202eevil syt_c2VjcmV0_token\nfail  keys';
    const restore = scene.stub.override(/federation\/v1\/version/, () => ({
      status: 200,
      body: { server: { name } },
    }));
    scene.stub.switches.oauth = true;
    const text = await scene.type('doctor', '--only', 'native-oauth');
    const json = await scene.doctor('--only', 'native-oauth');
    scene.stub.switches.oauth = false;
    restore();
    expect(text.out.split('\n')).toHaveLength(2);
    for (const out of [text.out, json.out]) {
      expect(out).not.toMatch(HARMFUL);
      expect(out).not.toContain('c2VjcmV0');
    }
    expect(text.out).toMatch(/^warn {2}native-oauth: \\u001b\[2J\\u202eevil \[hidden\]\\nfail/);
  });

  test('nothing is left of a probe, and the secrets of the installation are not printed', async () => {
    const { out } = await scene.doctor();
    expect(await scene.probesKept()).toBe(0);
    for (const secret of scene.secrets()) expect(out).not.toContain(secret);
  });
});
