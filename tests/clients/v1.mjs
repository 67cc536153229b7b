// The TypeScript SDK 1.x, which most clients are built on: validates structured content even of failures.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { serve } from "./serve.mjs";

function transport({ url, headers, command, args, env }) {
  if (command) return new StdioClientTransport({ command, args, env, stderr: "inherit" });
  const Transport = url.endsWith("/sse") ? SSEClientTransport : StreamableHTTPClientTransport;
  return new Transport(new URL(url), { requestInit: { headers } });
}

await serve(async (setup) => {
  const client = new Client({ name: "typescript-v1", version: "1" });
  const way = transport(setup);
  let version;
  way.setProtocolVersion = ((next) => (agreed) => { version = agreed; next?.call(way, agreed); })(way.setProtocolVersion);
  await client.connect(way);
  return Object.assign(client, { version });
});
