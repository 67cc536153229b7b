// Lets a test drive a client step by step: first line in is the set-up, then one request per line, one answer per line.
import { createInterface } from "node:readline";

const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");

const attempt = async (work) => {
  try {
    return await work();
  } catch (error) {
    return { thrown: { name: error.name, message: error.message, code: error.code } };
  }
};

export async function serve(connect) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const setup = JSON.parse((await lines.next()).value);
  let client;
  say(await attempt(async () => ({ version: (client = await connect(setup)).version })));
  for await (const line of lines) {
    const { op, name, args } = JSON.parse(line);
    if (op === "list") say(await attempt(async () => ({ tools: (await client.listTools()).tools })));
    if (op === "call") say(await attempt(() => client.callTool({ name, arguments: args })));
  }
  process.exit(0);
}
