/**
 * A machine on which a release runs as a service, for the commands of docs/upgrade.md (a `FreshMachine`). Beside what is
 * replaced there: `npm i` unpacks the package and finds its dependencies in this checkout, and services are started,
 * stopped and restarted without systemd, by what their files say.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { freePort } from '../../tools/free_port.ts';
import { FreshMachine, type Said } from '../deploy/fresh_machine.ts';
import { linkDependencies } from './release.ts';

const NPM = `
[ "$1 $2 $4" = 'i --prefix --omit=dev' ]
into="$3/node_modules/matrix-2fa-proxy"
mkdir -p "$into" "$3/node_modules/.bin"
tar xzf "$5" --strip-components=1 -C "$into"
chmod +x "$into/dist/cli/main.js"
ln -sf ../matrix-2fa-proxy/dist/cli/main.js "$3/node_modules/.bin/matrix-2fa-proxy"`;

/** A process that has ended may stay as a zombie, which has no program any more. */
const SYSTEMCTL = (root: string) => `
start() {
  instance=\${1#*@}
  file=${root}/etc/systemd/system/$1.service
  case $1 in *@*) file=${root}/etc/systemd/system/matrix-2fa-proxy@.service ;; esac
  text=$(sed -e "s/%i/$instance/" "$file" | sed -E -f ${root}/table.sed)
  folder=$(printf '%s\\n' "$text" | sed -n 's/^WorkingDirectory=//p')
  command=$(printf '%s\\n' "$text" | sed -n 's/^ExecStart=//p')
  environment=$(printf '%s\\n' "$text" | sed -n 's/^Environment=//p')
  cd "\${folder:-/}"
  nohup env $environment $command > ${root}/run/$1.out 2> ${root}/run/$1.log < /dev/null &
  echo $! > ${root}/run/$1.pid
}
stop() {
  pid=$(cat ${root}/run/$1.pid)
  rm ${root}/run/$1.pid
  kill $pid
  while [ -e /proc/$pid/exe ]; do sleep 0.05; done
}
case "$1" in
  daemon-reload) ;;
  start) start "$2" ;;
  stop) stop "$2" ;;
  restart) stop "$2"; start "$2" ;;
  *) echo "systemctl $*: the test has no stand-in for it" >&2; exit 1 ;;
esac`;

export class UpgradeMachine {
  private constructor(
    private readonly machine: FreshMachine,
    private readonly secondPort: number,
  ) {}

  static async make(): Promise<UpgradeMachine> {
    const [machine, second] = [await FreshMachine.make(), await freePort()];
    for (const [name, text] of Object.entries({ npm: NPM, systemctl: SYSTEMCTL(machine.root) })) {
      writeFileSync(machine.file(`bin/${name}`), `#!/bin/bash\nset -euo pipefail\n${text}\n`, {
        mode: 0o755,
      });
    }
    const { proxy } = machine.ports;
    appendFileSync(machine.file('table.sed'), `s#8010 8011#${proxy} ${second}#\n`);
    linkDependencies(machine.root);
    return new UpgradeMachine(machine, second);
  }

  /** Where processes listen. */
  get ports(): readonly [number, number] {
    return [this.machine.ports.proxy, this.secondPort];
  }

  get urls(): readonly [string, string] {
    const [one, two] = this.ports;
    return [`http://127.0.0.1:${one}`, `http://127.0.0.1:${two}`];
  }

  file(path: string): string {
    return this.machine.file(path);
  }

  run(commands = ''): Promise<Said> {
    return this.machine.run(commands);
  }

  /** Puts a package into the folder where commands are typed, as a release comes. */
  offer(program: string): void {
    const { version } = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8'));
    rmSync(this.file('release'), { recursive: true });
    mkdirSync(this.file('release'));
    const tarball = this.file(`release/matrix-2fa-proxy-${version}.tgz`);
    execFileSync('tar', ['czf', tarball, '--transform=s/^\\./package/', '-C', program, '.']);
    const digest = createHash('sha256').update(readFileSync(tarball)).digest('hex');
    writeFileSync(this.file('release/SHA256SUMS'), `${digest}  ${basename(tarball)}\n`);
  }

  /** Has the configuration that `init` wrote name the addresses of this machine, this homeserver and a contact. */
  placeConfiguration(homeserver: string): void {
    const file = this.file('etc/matrix-2fa-proxy/config.yaml');
    const text = readFileSync(file, 'utf8');
    const [first] = this.urls;
    const placed = text
      .replace('http://127.0.0.1:8008', homeserver)
      .replaceAll('127.0.0.1:8010', new URL(first).host);
    writeFileSync(file, `${placed}\nbrand: { help_url: "https://example.org/help" }\n`);
  }

  async stop(): Promise<void> {
    const units = readdirSync(this.file('run')).filter((name) => /^matrix-2fa-proxy.*\.pid$/.test(name));
    for (const unit of units) await this.run(`systemctl stop ${basename(unit, '.pid')}`);
    await this.machine.stop();
  }
}
