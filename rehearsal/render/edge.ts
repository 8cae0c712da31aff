import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { instancesOf } from "./instances";
import type { Service } from "./state";
import type { World } from "./world";

interface Target {
  readonly host: string;
  readonly port: number;
}

/** What the world reaches web services by: a listener for each, without TLS. */
export class Edge {
  private readonly servers = new Map<string, Server>();
  private readonly timer: NodeJS.Timeout;
  private turn = 0;

  constructor(
    private readonly world: World,
    private readonly host: string,
  ) {
    this.timer = setInterval(() => {
      this.follow();
    }, 50);
    this.follow();
  }

  /** Opens listeners for services that have none yet, closes those of services that are gone. */
  private follow(): void {
    const { services, edges } = this.world.state;
    for (const service of Object.values(services))
      if (service.type === "web_service" && !this.servers.has(service.id)) this.open(service);
    for (const [id, server] of this.servers) {
      if (services[id] !== undefined) continue;
      server.close();
      server.closeAllConnections();
      this.servers.delete(id);
      this.world.state.edges = Object.fromEntries(Object.entries(edges).filter(([known]) => known !== id));
    }
  }

  private open(service: Service): void {
    const server = createServer((incoming, response) => {
      this.pass(service, incoming, response);
    });
    server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.upgrade(service, incoming, socket, head);
    });
    server.on("error", () => this.servers.delete(service.id));
    this.servers.set(service.id, server);
    server.listen(this.world.state.edges[service.id] ?? 0, this.host, () => {
      this.world.state.edges[service.id] = (server.address() as AddressInfo).port;
      this.world.store.save();
    });
  }

  /** An instance of the live version, each in its turn. */
  private target(service: Service): Target | undefined {
    const live = instancesOf(this.world, service.id).filter(({ isKept, isUp }) => isKept && isUp);
    if (live.length === 0) return undefined;
    this.turn += 1;
    const instance = live[this.turn % live.length]!;
    return this.world.runtime.address(instance.id, instance.port);
  }

  private pass(service: Service, incoming: IncomingMessage, response: ServerResponse): void {
    const target = this.target(service);
    const fail = (): void => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { "x-render-routing": "no-server" }).end("Bad Gateway");
    };
    if (target === undefined) {
      fail();
      return;
    }
    const { method, url: path, headers } = incoming;
    const asked = request({ ...target, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.once("error", fail);
    incoming.pipe(asked);
  }

  private upgrade(service: Service, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = this.target(service);
    if (target === undefined) {
      socket.destroy();
      return;
    }
    const far = connect(target.port, target.host, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let at = 0; at < incoming.rawHeaders.length; at += 2)
        lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
      far.write(`${lines.join("\r\n")}\r\n\r\n`);
      far.write(head);
      far.pipe(socket).pipe(far);
    });
    for (const [one, other] of [
      [far, socket],
      [socket, far],
    ] as const)
      one.on("error", () => other.destroy());
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(
      [...this.servers.values()].map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => {
              resolve();
            });
            server.closeAllConnections();
          }),
      ),
    );
  }
}
