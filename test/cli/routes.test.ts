import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type CommandLine, commandLine } from './command_line.ts';

let line: CommandLine;
beforeEach(() => {
  line = commandLine();
});
afterEach(() => line.remove());

test.each(['nginx', 'haproxy', 'caddy', 'traefik'])('routes --%s prints both topologies', async (server) => {
  const { code, out, err } = await line.type('routes', `--${server}`);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^# full\n[\s\S]*_2fa[\s\S]*\n\n# selective\n[\s\S]*joined_members/);
});

test('routes --json prints the lists for programs', async () => {
  const { code, out } = await line.type('routes', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    full: {
      to_proxy: {
        roots: ['/_matrix/', '/_synapse/client/', '/_2fa/'],
        paths: [
          '/.well-known/matrix/client',
          '/.well-known/oauth-authorization-server',
          '/.well-known/openid-configuration',
          '/_2fa',
        ],
      },
    },
    selective: { never_straight: ['..', '//', ';', '\\', '#', '%25', '%2e', '%2f', '%5c'] },
  });
});

test.each([[[]], [['--nginx', '--caddy']], [['--json', '--caddy']]])(
  'routes takes one form: %j',
  async (options) => {
    expect(await line.type('routes', ...options)).toEqual({
      code: 2,
      out: '',
      err: 'matrix-2fa-proxy: give one of --json --nginx --haproxy --caddy --traefik',
    });
  },
);
