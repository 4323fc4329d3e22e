/**
 * A folder that stands for a machine on which nothing is installed yet, for commands as a page prints them:
 *
 *     const machine = await FreshMachine.make();
 *     await machine.run(commandsUnder('docs/install.md', 'Start')[0]);
 *     await machine.stop();
 *
 * Replaced are only names, ports and addresses (`tableOf`), in commands and in files that a service reads. Programs that
 * would change this machine have stand-ins.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, isFree } from '../../tools/free_port.ts';

/** A second and more. */
const TRIES = 40;
const BETWEEN_TRIES_MS = 50;

const running = promisify(execFile);

const FOLDERS = [
  'bin',
  'etc/nginx/conf.d',
  'etc/ssl/private',
  'etc/systemd/system',
  'opt',
  'release',
  'run',
  'usr/lib/sysusers.d',
  'usr/lib/tmpfiles.d',
  'var/lib',
];

export interface Ports {
  readonly homeserver: number;
  readonly proxy: number;
  readonly plain: number;
  readonly clients: number;
  readonly federation: number;
}

/** What commands said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Without --norc it reads the system's bashrc where its input is a socket, as Node's are, and no shell is above it. */
const SHELL_WORDS = ['--norc', '-euo', 'pipefail', '-c'];

/** The blocks of commands in a section of a page, as they are printed. */
export function commandsUnder(page: string, heading: string): string[] {
  const text = readFileSync(page, 'utf8');
  const begin = text.search(new RegExp(`^#+ ${heading}$`, 'm'));
  if (begin === -1) throw new Error(`${page} has no heading "${heading}"`);
  const [, level = ''] = /^(#+) /.exec(text.slice(begin)) ?? [];
  const rest = text.slice(begin + level.length);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'));
  const section = end === -1 ? rest : rest.slice(0, end);
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
}

export class FreshMachine {
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(
    readonly root: string,
    readonly ports: Ports,
  ) {
    this.#environment = {
      ...process.env,
      PATH: `${join(root, 'bin')}:${process.env.PATH}`,
      CURL_HOME: root,
      MATRIX_2FA_LISTEN: `127.0.0.1:${ports.proxy}`,
      npm_config_prefer_offline: 'true',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      // The library that this checkout has compiled is put there afterwards: compiling takes minutes.
      npm_config_ignore_scripts: 'true',
    };
  }

  static async make(): Promise<FreshMachine> {
    const root = mkdtempSync(join(tmpdir(), 'machine-'));
    const [homeserver, proxy, plain] = [await freePort(), await freePort(), await freePort()];
    const ports = { homeserver, proxy, plain, clients: await freePort(), federation: await freePort() };
    const machine = new FreshMachine(root, ports);
    for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'table.sed'), tableOf(root, ports));
    writeFileSync(join(root, '.curlrc'), curlSettings(root, ports));
    writeFileSync(join(root, 'run/nginx.conf'), nginxSettings(root));
    for (const [name, text] of Object.entries(standIns(root))) {
      writeFileSync(join(root, 'bin', name), `#!/bin/bash\nset -euo pipefail\n${text}\n`, { mode: 0o755 });
    }
    return machine;
  }

  /** Where clients reach the web server. */
  get url(): string {
    return `https://127.0.0.1:${this.ports.clients}`;
  }

  file(path: string): string {
    return join(this.root, path);
  }

  /** In a shell of their own, in the folder with the release, with names, ports and addresses of this machine. */
  async run(commands = ''): Promise<Said> {
    const words = [...SHELL_WORDS, this.#placed(commands)];
    const options = { cwd: this.file('release'), env: this.#environment };
    try {
      const { stdout, stderr } = await running('bash', words, options);
      return { code: 0, out: stdout, err: stderr };
    } catch (error) {
      if (!isFailedRun(error)) throw error;
      return { code: error.code, out: error.stdout, err: error.stderr };
    }
  }

  /** Commands that go on until they are ended, as the service does. */
  start(commands = ''): void {
    const options = {
      cwd: this.file('release'),
      env: this.#environment,
      stdio: 'ignore',
      detached: true,
    } as const;
    const child = spawn('bash', [...SHELL_WORDS, this.#placed(commands)], options);
    writeFileSync(this.file('run/serve.pid'), `-${child.pid}`);
  }

  /** Ends `serve` or nginx, if it runs. */
  async end(name: 'serve' | 'nginx'): Promise<void> {
    const file = this.file(`run/${name}.pid`);
    if (!existsSync(file)) return;
    const port = name === 'serve' ? this.ports.proxy : this.ports.clients;
    const pid = await pidIn(file, port);
    if (pid !== 0) process.kill(pid, 'SIGTERM');
    rmSync(file, { force: true });
    while (!(await isFree(port))) await delay(BETWEEN_TRIES_MS);
  }

  async stop(): Promise<void> {
    await this.end('serve');
    await this.end('nginx');
    rmSync(this.root, { recursive: true, force: true });
  }

  #placed(commands: string): string {
    const words = ['-E', '-f', this.file('table.sed')];
    return execFileSync('sed', words, { input: commands, encoding: 'utf8' });
  }
}

/**
 * What a program has written as its pid; 0 where none comes. `nginx -t` leaves an empty file, and nginx, which has its port
 * by then, fills it a moment after its start has returned. 0 is no process, but the group of the tests themselves (kill(2)).
 */
async function pidIn(file: string, port: number): Promise<number> {
  for (let tried = 0; ; tried++) {
    const pid = Number(readFileSync(file, 'utf8'));
    if (pid !== 0 || (tried >= TRIES && (await isFree(port)))) return pid;
    await delay(BETWEEN_TRIES_MS);
  }
}

function isFailedRun(error: unknown): error is { code: number; stdout: string; stderr: string } {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
}

/** All that is replaced, for `sed -E`. */
function tableOf(root: string, ports: Ports): string {
  const me = userInfo().username;
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  return [
    's#/usr/local/bin/#/bin/#g',
    `s#(^|[ :;=])/(bin|opt|etc|var|usr/lib)/#\\1${root}/\\2/#g`,
    's#<version>#*#g',
    `s#-g matrix-2fa #-g ${group} #g`,
    `s#(-o )(root|matrix-2fa) #\\1${me} #g`,
    `s#matrix-2fa: #${me}: #g`,
    `s#127\\.0\\.0\\.1:8008#127.0.0.1:${ports.homeserver}#g`,
    `s#127\\.0\\.0\\.1:8010#127.0.0.1:${ports.proxy}#g`,
    `s#listen 80;#listen 127.0.0.1:${ports.plain};#`,
    `s#listen 443 #listen 127.0.0.1:${ports.clients} #`,
    `s#listen 8448 #listen 127.0.0.1:${ports.federation} #`,
    `s#(https://matrix\\.example\\.org):8448#\\1:${ports.federation}#g`,
    `s#(https://matrix\\.example\\.org)([^:]|$)#\\1:${ports.clients}\\2#g`,
    `s#/usr/bin/node#${process.execPath}#g`,
    '',
  ].join('\n');
}

function curlSettings(root: string, { clients, federation }: Ports): string {
  const resolve = [clients, federation].map((port) => `resolve = "matrix.example.org:${port}:127.0.0.1"\n`);
  return `cacert = "${root}/etc/ssl/matrix.example.org.pem"\n${resolve.join('')}`;
}

function nginxSettings(root: string): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${root}/run/${kind};`,
  );
  return `worker_processes 1; error_log ${root}/run/nginx.log; pid ${root}/run/nginx.pid; events {}
    http { access_log off; ${scratch.join(' ')} include ${root}/run/matrix.conf; }`;
}

/** Programs that need root or systemd, or whose files are not where this machine has them. */
function standIns(root: string): Record<string, string> {
  const placed = `sed -E -f ${root}/table.sed`;
  return {
    sudo: 'if [ "$1" = -u ]; then shift 2; fi\nexec "$@"',
    useradd: 'exit 0',
    'systemd-sysusers': `test -f "${root}/usr/lib/sysusers.d/$1"`,
    'systemd-tmpfiles': `${placed} "${root}/usr/lib/tmpfiles.d/$2" | awk '$1 == "d" { system("install -d -m " $3 " " $2) }'`,
    nginx: `${placed} ${root}/etc/nginx/conf.d/matrix.conf > ${root}/run/matrix.conf
exec /usr/sbin/nginx -p ${root} -e ${root}/run/nginx.log -c ${root}/run/nginx.conf "$@"`,
    systemctl: `case "$*" in
  daemon-reload) ;;
  'enable --now matrix-2fa-proxy')
    command=$(sed -n 's/^ExecStart=//p' ${root}/etc/systemd/system/matrix-2fa-proxy.service | ${placed})
    nohup $command > ${root}/run/serve.out 2> ${root}/run/serve.log < /dev/null &
    echo $! > ${root}/run/serve.pid ;;
  'reload nginx') nginx ;;
  *) echo "systemctl $*: the test has no stand-in for it" >&2; exit 1 ;;
esac`,
  };
}
