import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** What a test's server answers. */
export interface Answer {
  /** Default 200. */
  status?: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** Break the connection in the middle of the body. */
  cut?: boolean;
}

/** A web server on a free port of loopback, for one test. */
export async function serve(answer: (request: IncomingMessage) => Answer): Promise<{
  url: (path: string) => string;
  close: () => Promise<void>;
}> {
  const server = createServer((request, response) => {
    const { status = 200, headers = {}, body = "", cut = false } = answer(request);
    const bytes = Buffer.from(body);
    response.writeHead(status, { ...headers, "content-length": String(bytes.length) });
    if (!cut) response.end(bytes);
    else response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    close: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  };
}
