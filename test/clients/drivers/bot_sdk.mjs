/** matrix-bot-sdk: signs in with a password, says something in a new room, and hears it in its own sync. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, wish] = process.argv.slice(2);
const { LogLevel, LogService, MatrixAuth } = createRequire(join(folder, 'package.json'))('matrix-bot-sdk');
LogService.setLevel(LogLevel.ERROR);
LogService.muteModule('MatrixHttpClient');

process.stdout.write(`${JSON.stringify(await converse(JSON.parse(wish)))}\n`, () => process.exit(0));

async function converse({ homeserver, user, password, text }) {
  try {
    const client = await new MatrixAuth(homeserver).passwordLogin(user, password, 'a bot');
    const roomId = await client.createRoom({ name: 'a room' });
    await client.start();
    const message = once(client, 'room.message');
    await client.sendText(roomId, text);
    const [heardIn, { content, sender }] = await message;
    client.stop();
    return { talksTo: client.homeserverUrl, sameRoom: heardIn === roomId, heard: content.body, sender };
  } catch (error) {
    return { errcode: error.errcode, error: error.error ?? String(error), status: error.statusCode };
  }
}
