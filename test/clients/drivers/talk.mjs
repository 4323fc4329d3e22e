import { createInterface } from 'node:readline';

// What clients say of themselves is not an answer.
console.debug = console.info = console.log = console.error;
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

/** A session that lives as long as its input: a wish as JSON in each line, an answer as JSON for each. */
export async function talk(begin) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { value: homeserver } = await lines.next();
  const wishes = await begin(homeserver);
  for await (const line of lines) {
    const { do: what, ...more } = JSON.parse(line);
    try {
      say(await wishes[what](more));
    } catch (error) {
      say({ failed: String(error?.stack ?? error) });
    }
  }
  // The SDK keeps timers.
  process.exit(0);
}
