// The TypeScript SDK 2.x, in the era the set-up asks for: "auto" finds 2026-07-28, "legacy" shakes hands as before.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { serve } from "./serve.mjs";

function transport({ url, headers, command, args, env }) {
  if (command) return new StdioClientTransport({ command, args, env, stderr: "inherit" });
  const Transport = url.endsWith("/sse") ? SSEClientTransport : StreamableHTTPClientTransport;
  return new Transport(new URL(url), { requestInit: { headers } });
}

await serve(async (setup) => {
  const client = new Client({ name: "typescript-v2", version: "1" }, { versionNegotiation: { mode: setup.era } });
  await client.connect(transport(setup));
  return Object.assign(client, { version: client.getNegotiatedProtocolVersion() });
});
