/** Installations with one thing wrong, each with what `doctor` must find: it, and nothing else. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { addNotice, buryNotices, dropDeadLetters } from '../../src/storage/tables/notices.ts';
import { announceProcess, dropProcess, listProcesses } from '../../src/storage/tables/processes.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile } from '../../src/vault/key_ring.ts';
import { LocalhostFront } from '../support/localhost_front.ts';
import type { StubAnswer } from '../support/stub/exchange.ts';
import type { Examined, Scene } from './scene.ts';
import { SYNAPSE } from './scene.ts';

export interface Broken {
  readonly what: string;
  /** `verdict id` */
  readonly finds: string;
  /** What it says. */
  readonly says: RegExp;
  examine(scene: Scene): Promise<Examined>;
}

const configured = (from: string, to: string) => (scene: Scene) =>
  scene.configured(
    (config) => config.replace(from, to),
    () => scene.doctor(),
  );

const behind = (from: string, to: string) => (scene: Scene) =>
  scene.behind(
    (nginx) => nginx.replace(from, to),
    () => scene.doctor(),
  );

/** nginx with one more location. */
const located = (location: string) => behind('# more', location);

const synapse = (from: string, to: string) => async (scene: Scene) => {
  const file = join(scene.folder, 'homeserver.yaml');
  writeFileSync(file, SYNAPSE.replace(from, to));
  const found = await scene.doctor();
  writeFileSync(file, SYNAPSE);
  return found;
};

/** The stub answers in another way for a while. */
const homeserver = (pattern: RegExp, answer: () => Partial<StubAnswer>) => async (scene: Scene) => {
  const restore = scene.stub.override(pattern, (_exchange, next) => {
    const given = next();
    return typeof given === 'object' ? { ...given, ...answer() } : given;
  });
  const found = await scene.doctor();
  restore();
  return found;
};

const WITHOUT_PASSWORDS: StubAnswer = { status: 200, body: { flows: [{ type: 'm.login.sso' }] } };

/** The homeserver has an OAuth login, and calls itself `name`. */
const oauth = (name: string, login: StubAnswer | undefined) => async (scene: Scene) => {
  const restores = [
    scene.stub.override(/federation\/v1\/version/, () => ({ status: 200, body: { server: { name } } })),
    ...(login === undefined ? [] : [scene.stub.override(/GET \S+\/login$/, () => login)]),
  ];
  scene.stub.switches.oauth = true;
  const found = await scene.doctor();
  scene.stub.switches.oauth = false;
  for (const restore of restores) restore();
  return found;
};

/** A second process, which is not like ours. */
const beside = (change: object) => async (scene: Scene) => {
  const { storage } = scene.proxy;
  const [own] = await storage.read(listProcesses());
  if (own === undefined) throw new Error('the application has no row');
  const { id: _, ...description } = own;
  await storage.commit([], announceProcess('other', { ...description, host: 'other-host', ...change }));
  const found = await scene.doctor();
  await storage.commit([], dropProcess('other'));
  return found;
};

/** A notice to the webhook was given up; the webhook itself is on. */
const deadLetter = async (scene: Scene) => {
  const { storage } = scene.proxy;
  const told = { event: 'totp.enabled', userId: '@bob:localhost', actor: 'user', happenedAt: 1 };
  const letter = addNotice('dead', 'webhook', { ...told, address: null, deviceId: null, detail: {} });
  await storage.commit([], [letter, buryNotices('webhook', 'the receiver answered 410', -1)]);
  writeFileSync(join(scene.folder, 'hook.secret'), `whsec_${Buffer.alloc(32).toString('base64')}`, {
    mode: 0o600,
  });
  const webhook = '{ url: "http://127.0.0.1:1/hook", secret_file: hook.secret }';
  const found = await configured(
    'trusted_proxies',
    `notify: { webhook: ${webhook} }\ntrusted_proxies`,
  )(scene);
  await storage.commit([], dropDeadLetters(null));
  return found;
};

/** With a registration of our own, which the homeserver knows by `known`, as the server called `name`. */
const registered = (known: string | undefined, name: string, answer?: StubAnswer) => async (scene: Scene) => {
  const { applicationServices } = scene.stub.switches;
  if (known !== undefined) {
    applicationServices.push({ token: known, senderLocalpart: 'two-factor', prefix: '' });
  }
  const restores = [
    scene.stub.override(/federation\/v1\/version/, () => ({ status: 200, body: { server: { name } } })),
    ...(answer === undefined ? [] : [scene.stub.override(/POST \S+\/login$/, () => answer)]),
  ];
  const file = join(scene.folder, 'appservice.yaml');
  writeFileSync(file, `as_token: ${OWN_TOKEN}\n`, { mode: 0o600 });
  const found = await configured(
    `homeserver: { url: "${scene.stub.url}" }`,
    `homeserver: { url: "${scene.stub.url}", appservice: { file: appservice.yaml } }`,
  )(scene);
  for (const restore of restores) restore();
  if (known !== undefined) applicationServices.pop();
  return found;
};

const OWN_TOKEN = 'token_of_our_registration';

/** One that the homeserver takes. */
export const wellRegistered = registered(OWN_TOKEN, 'Synapse');

export const BROKEN: readonly Broken[] = [
  {
    what: 'a registration that Synapse does not know',
    finds: 'fail appservice',
    says: /Synapse does not know \S+appservice\.yaml/,
    examine: registered(undefined, 'Synapse'),
  },
  {
    what: 'a registration that the homeserver knows under another token',
    finds: 'fail appservice',
    says: /tuwunel does not know/,
    examine: registered('another', 'tuwunel'),
  },
  {
    what: 'a registration that is for the users of another server',
    finds: 'fail appservice',
    says: /do not cover its users/,
    examine: registered(OWN_TOKEN, 'Synapse', { status: 403, body: { errcode: 'M_FORBIDDEN' } }),
  },
  {
    what: 'a homeserver that leaves such logins to its OAuth',
    finds: 'warn appservice',
    says: /sign-ins go on without/,
    examine: registered(OWN_TOKEN, 'continuwuity', {
      status: 403,
      body: { errcode: 'M_APPSERVICE_LOGIN_UNSUPPORTED' },
    }),
  },
  {
    what: 'a setting that is seldom meant',
    finds: 'warn config',
    says: /appended_code and login.sso are both off/,
    examine: configured('trusted_proxies', 'login: { appended_code: false, sso: false }\ntrusted_proxies'),
  },
  {
    what: 'a key file that others may read',
    finds: 'fail files',
    says: /keys\.json \(mode 0644\)/,
    examine: async (scene) => {
      const keys = join(scene.folder, 'data/keys.json');
      chmodSync(keys, 0o644);
      const found = await scene.doctor();
      chmodSync(keys, 0o600);
      return found;
    },
  },
  {
    what: 'a database that is a folder',
    finds: 'fail store',
    says: /cannot be opened: it is a folder/,
    examine: configured('data/2fa.db', 'data'),
  },
  {
    what: 'a database that is not there, though one is marked',
    finds: 'fail store',
    says: /is not there, and users have turned/,
    examine: configured('data/2fa.db', 'data/other.db'),
  },
  {
    what: 'a database of a newer version',
    finds: 'fail schema',
    says: /it is 999, and this version knows up to \d+/,
    examine: async (scene) => {
      const path = join(scene.folder, 'data/newer.db');
      const newer = openDatabase(path);
      newer.pragma('user_version = 999');
      newer.exec('CREATE TABLE store_checks (checks INTEGER)');
      newer.close();
      chmodSync(path, 0o600);
      return configured('data/2fa.db', 'data/newer.db')(scene);
    },
  },
  {
    what: 'keys of another database',
    finds: 'fail keys',
    says: /1 of 1 authenticators do not open; recovery codes need keys/,
    examine: async (scene) => {
      const file = join(scene.folder, 'data/others.json');
      createKeyFile(file, systemRandom, systemClock);
      const found = await configured('data/keys.json', 'data/others.json')(scene);
      rmSync(file);
      return found;
    },
  },
  {
    what: 'a key file that is missing',
    finds: 'fail keys',
    says: /it does not exist/,
    examine: configured('data/keys.json', 'data/lost.json'),
  },
  {
    what: 'a database in which no user has turned 2FA on, though another is marked',
    finds: 'fail mark',
    says: /it is not the database in which users turned/,
    examine: async (scene) => {
      const path = join(scene.folder, 'data/empty.db');
      await (await openSqliteStorage({ path })).close();
      return configured('data/2fa.db', 'data/empty.db')(scene);
    },
  },
  {
    what: 'a process of another version',
    finds: 'warn processes',
    says: /different versions: .*0\.0\.9/,
    examine: beside({ version: '0.0.9', settingsDigest: 'other' }),
  },
  {
    what: 'a process with other keys',
    finds: 'fail processes',
    says: /other-host has k9/,
    examine: beside({ keyIds: 'k9' }),
  },
  {
    what: 'a process with other settings',
    finds: 'fail processes',
    says: /their settings differ/,
    examine: beside({ settingsDigest: 'other' }),
  },
  {
    what: 'a homeserver that does not answer',
    finds: 'fail homeserver',
    says: /127\.0\.0\.1:9: no answer \(ECONNREFUSED\)/,
    examine: (scene) => configured(scene.stub.url, 'http://127.0.0.1:9')(scene),
  },
  {
    what: 'a homeserver whose certificate serve does not trust',
    finds: 'fail homeserver',
    says: /serve does not trust its certificate: DEPTH_ZERO_SELF_SIGNED_CERT/,
    examine: async (scene) => {
      const [key, cert] = ['right.key', 'right.pem'].map((name) => readFileSync(join(scene.folder, name)));
      if (key === undefined || cert === undefined) throw new Error('the scene makes both');
      const front = new LocalhostFront({ key, cert });
      front.target = scene.stub.url;
      await front.listen();
      const found = await configured(scene.stub.url, front.url)(scene);
      await front.stop();
      return found;
    },
  },
  {
    what: 'a homeserver without passwords',
    finds: 'fail password-login',
    says: /does not offer m\.login\.password/,
    examine: homeserver(/GET \S+\/login$/, () => WITHOUT_PASSWORDS),
  },
  {
    what: 'Synapse with MAS',
    finds: 'fail native-oauth',
    says: /MAS/,
    examine: oauth('Synapse', undefined),
  },
  {
    what: 'OAuth beside passwords',
    finds: 'warn native-oauth',
    says: /continuwuity has an OAuth login beside passwords/,
    examine: oauth('continuwuity', undefined),
  },
  {
    what: 'OAuth in the place of passwords',
    finds: 'fail native-oauth',
    says: /tuwunel takes OAuth logins only/,
    examine: oauth('tuwunel', WITHOUT_PASSWORDS),
  },
  {
    what: "Synapse's default limit on logins",
    finds: 'warn rc-login',
    says: /the default or less/,
    examine: synapse('rc_login: { account', 'rc_login: { address'),
  },
  {
    what: 'Synapse that does not see addresses',
    finds: 'fail x-forwarded',
    says: /missing on 8008/,
    examine: synapse('x_forwarded: true', 'x_forwarded: false'),
  },
  {
    what: 'a clock that is a little off',
    finds: 'warn clock',
    says: /the homeserver is \d s behind/,
    examine: (scene) => homeserverClock(-6000)(scene),
  },
  {
    what: 'a clock that is wrong',
    finds: 'fail clock',
    says: /the homeserver is \d\d s ahead/,
    examine: (scene) => homeserverClock(30_000)(scene),
  },
  {
    what: 'pages that know no contact',
    finds: 'warn contact',
    says: /^no contact is known/,
    examine: configured('brand:', '# brand:'),
  },
  {
    what: 'a well-known document elsewhere that leads past serve',
    finds: 'fail well-known',
    says: /leads clients to https:\/\/other\.example/,
    examine: located(
      `location = /.well-known/matrix/client { return 301 /moved.json; }
      location = /moved.json { return 200 '{"m.homeserver":{"base_url":"https://other.example"}}'; }`,
    ),
  },
  {
    what: 'a web server that leads to the homeserver',
    finds: 'fail public-path',
    says: /200 with JSON, and not from a serve/,
    examine: located('location ^~ /_matrix/ { proxy_pass $homeserver; }'),
  },
  {
    what: 'a prefix that leads to the homeserver',
    finds: 'fail routes',
    says: /GET \/_matrix\/client\/r0\/login \(200 with JSON\)/,
    examine: located('location ^~ /_matrix/client/r0/ { proxy_pass $homeserver; }'),
  },
  {
    what: 'a forged address that is believed',
    finds: 'fail client-address',
    says: /X-Forwarded-For that a client sent is believed/,
    examine: behind('For $remote_addr', 'For $http_x_forwarded_for'),
  },
  {
    what: 'https that is taken for http',
    finds: 'fail client-address',
    says: /takes https for http/,
    examine: behind('proxy_set_header X-Forwarded-Proto $scheme;', ''),
  },
  {
    what: 'a homeserver on an address of the public host',
    finds: 'fail homeserver-port',
    says: /http, 127\.0\.0\.1 port \d+/,
    examine: openHomeserver,
  },
  {
    what: 'a well-known document that leads elsewhere',
    finds: 'fail well-known',
    says: /leads clients to https:\/\/other\.example\.org/,
    examine: wellKnown('"base_url":"https://other.example.org"', ''),
  },
  {
    what: 'a well-known document that leads to an OAuth login',
    finds: 'fail well-known',
    says: /OAuth login \(org\.matrix\.msc2965\.authentication\)/,
    examine: (scene) =>
      wellKnown(
        `"base_url":"${scene.publicUrl}"`,
        ',"org.matrix.msc2965.authentication":{"issuer":"https://auth.example.org"}',
      )(scene),
  },
  {
    what: 'OAuth that apps do not find',
    finds: 'fail oauth',
    says: /not the metadata of serve: .*auth_metadata/,
    examine: configured('public_base_url', 'oauth: { enabled: true }\npublic_base_url'),
  },
  {
    what: "the homeserver's administration",
    finds: 'fail native-pages',
    says: /\/_synapse\/admin\/v1\/server_version \(200\)/,
    examine: located('location /_synapse/admin/ { proxy_pass $homeserver; }'),
  },
  {
    what: 'a disguised login',
    finds: 'fail odd-targets',
    says: /\/_matrix\/client\/v3\/LOGIN\?x=…/,
    examine: located(
      'location = /_matrix/client/v3/LOGIN { proxy_pass $homeserver/_matrix/client/v3/login?$args; }',
    ),
  },
  {
    what: 'a certificate for another name',
    finds: 'fail tls',
    says: /ERR_TLS_CERT_ALTNAME_INVALID|not in the cert's list/,
    examine: (scene) => scene.withCertificate('DNS:other.example.org', 60, () => scene.doctor()),
  },
  {
    what: 'metrics on every address',
    finds: 'warn listeners',
    says: /metrics listen on 0\.0\.0\.0, port 9464/,
    examine: configured('trusted_proxies', 'metrics: { listen: "0.0.0.0:9464" }\ntrusted_proxies'),
  },
  {
    what: 'the admin API on every address',
    finds: 'warn listeners',
    says: /the admin API listens on 0\.0\.0\.0, port 9465/,
    examine: configured('trusted_proxies', 'admin: { listen: "0.0.0.0:9465" }\ntrusted_proxies'),
  },
  {
    what: 'a mail server that does not answer',
    finds: 'fail notify',
    says: /^the mail server at 127\.0\.0\.1, port 1: E[A-Z]+$/,
    examine: configured(
      'trusted_proxies',
      'notify: { mail: { from: 2fa@example.org, port: 1 } }\ntrusted_proxies',
    ),
  },
  {
    what: 'a gateway for text messages that does not answer',
    finds: 'fail notify',
    says: /^the gateway for text messages at http:\/\/127\.0\.0\.1:1: E[A-Z]+$/,
    examine: configured(
      'trusted_proxies',
      'notify: { sms: { url: "http://127.0.0.1:1/send" } }\ntrusted_proxies',
    ),
  },
  {
    what: 'a notice that was given up',
    finds: 'warn notify',
    says: /^1 given up by webhook$/,
    examine: deadLetter,
  },
  {
    what: 'a token for notices that is not good any more',
    finds: 'fail notify',
    says: /^notify\.matrix\.access_token_file does not open @2fa:localhost: the homeserver answered 401$/,
    examine: (scene) => {
      writeFileSync(join(scene.folder, 'notify.token'), 'old', { mode: 0o600 });
      const matrix = '{ user_id: "@2fa:localhost", access_token_file: notify.token }';
      return configured('trusted_proxies', `notify: { matrix: ${matrix} }\ntrusted_proxies`)(scene);
    },
  },
  {
    what: 'a limit on uploads',
    finds: 'warn body-size',
    says: /an upload of 50 MiB is refused/,
    examine: behind('client_max_body_size 0', 'client_max_body_size 1m'),
  },
];

/** A `Date` that is so many ms off. */
function homeserverClock(offMs: number): (scene: Scene) => Promise<Examined> {
  return homeserver(/GET \/_matrix\/client\/versions/, () => ({
    headers: { date: new Date(Date.now() + offMs).toUTCString() },
  }));
}

function wellKnown(homeserverPart: string, more: string): (scene: Scene) => Promise<Examined> {
  const document = `{"m.homeserver":{${homeserverPart}}${more}}`;
  return located(
    `location = /.well-known/matrix/client { default_type application/json; return 200 '${document}'; }`,
  );
}

/** A homeserver that listens on all addresses of the machine; the configuration names one that is not public. */
async function openHomeserver(scene: Scene): Promise<Examined> {
  const everywhere = createServer((request, response) => {
    fetch(scene.stub.url + request.url).then(
      async (answer) => response.writeHead(answer.status).end(await answer.text()),
      () => response.destroy(),
    );
  });
  const port = await listenEverywhere(everywhere);
  const found = await configured(scene.stub.url, `http://127.0.0.2:${port}`)(scene);
  everywhere.closeAllConnections();
  await new Promise((resolve) => everywhere.close(resolve));
  return found;
}

async function listenEverywhere(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return (server.address() as AddressInfo).port;
}
