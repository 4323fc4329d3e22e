import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CommandLine, commandLine } from './command_line.ts';

const versions: RequestListener = (_request, response) => {
  response.setHeader('Content-Type', 'application/json').end('{"versions":["v1.11"]}');
};

/** An installation that `init` has made, before a homeserver that knows nothing but its versions. */
export class Initialised {
  private constructor(
    readonly line: CommandLine,
    private readonly homeserver: Server,
  ) {}

  /** @param waiting has each request to this path, whose answer is left to the test */
  static async make(waiting?: {
    readonly path: string;
    readonly reach: RequestListener;
  }): Promise<Initialised> {
    const homeserver = createServer((request, response) => {
      const answer = request.url === waiting?.path ? waiting?.reach : versions;
      answer?.(request, response);
    });
    await new Promise<void>((resolve) => homeserver.listen(0, '127.0.0.1', resolve));
    const { port } = homeserver.address() as AddressInfo;
    const line = commandLine();
    await line.type('init', '--dir', line.folder, '--homeserver', `http://127.0.0.1:${port}`);
    line.changeConfig('listen: 127.0.0.1:8010', 'listen: 127.0.0.1:0');
    return new Initialised(line, homeserver);
  }

  async remove(): Promise<void> {
    this.homeserver.closeAllConnections();
    await new Promise((resolve) => this.homeserver.close(resolve));
    this.line.remove();
  }
}
