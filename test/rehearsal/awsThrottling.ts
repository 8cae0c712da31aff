import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A way to AWS that counts calls and lets some of them fail as AWS does when it is asked too often. */
export async function throttling(
  target: string,
): Promise<{ url: string; refuse: Map<string, number>; server: Server }> {
  const refuse = new Map<string, number>();
  const server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = Buffer.concat(parts);
      const action = /(?:^|&)Action=(\w+)/.exec(body.toString())?.[1] ?? "";
      const left = refuse.get(action) ?? 0;
      if (left > 0) {
        refuse.set(action, left - 1);
        const error = "<Errors><Error><Code>RequestLimitExceeded</Code><Message>Slow down.</Message></Error></Errors>";
        response.writeHead(503, { "content-type": "text/xml" }).end(`<Response>${error}</Response>`);
        return;
      }
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter((each): each is [string, string] => typeof each[1] === "string"),
      );
      delete headers["connection"];
      delete headers["content-length"];
      delete headers["transfer-encoding"];
      delete headers["expect"];
      const { method = "GET", url = "/" } = request;
      const answer = await fetch(target + url, { method, headers, ...(body.length > 0 ? { body } : {}) });
      const type = answer.headers.get("content-type") ?? "text/xml";
      response.writeHead(answer.status, { "content-type": type }).end(Buffer.from(await answer.arrayBuffer()));
    })().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, refuse, server };
}
