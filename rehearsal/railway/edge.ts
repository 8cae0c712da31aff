import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from "node:http";
import {
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
  connect,
  createServer as createTcpServer,
} from "node:net";
import { without } from "../platform/without";
import { portOf } from "./containers";
import type { DomainRecord, TcpProxy } from "./state";
import { deploymentsOf } from "./world";
import type { World } from "./world";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a service answers on a port now: undefined with nothing deployed, null where that doesn't. Replicas take turns. */
function addressOf(
  world: World,
  of: DomainRecord | TcpProxy,
  port: number | undefined,
  turn: number,
): Address | null | undefined {
  const active = deploymentsOf(world, of.serviceId, of.environmentId).filter(({ isActive }) => isActive);
  // One that is being removed serves on until the switch is over.
  const serving = active.find(({ status }) => status === "SUCCESS") ?? active[0];
  if (serving === undefined) return undefined;
  const addresses = serving.replicas
    .filter(({ isUp }) => isUp)
    .map(({ id }) => world.runtime.address(id, port ?? portOf(serving)))
    .filter((address) => address !== undefined);
  return addresses[turn % Math.max(1, addresses.length)] ?? null;
}

/** Railway's edge: a listener for each domain and TCP proxy, on a free port of this machine, without TLS. */
export class Edge {
  private readonly listeners = new Map<string, Server | TcpServer>();
  private readonly sockets = new Set<Socket>();
  private turn = 0;
  private readonly look = (): void => {
    this.open();
  };

  constructor(private readonly world: World) {
    world.changes.on("edges", this.look);
    this.open();
  }

  private open(): void {
    const { domains, tcpProxies, edges } = this.world.state;
    for (const domain of Object.values(domains)) this.listen(domain.id, () => this.httpServer(domain));
    for (const proxy of Object.values(tcpProxies)) this.listen(proxy.id, () => this.tcpServer(proxy));
    for (const [id, server] of this.listeners) {
      if (domains[id] !== undefined || tcpProxies[id] !== undefined) continue;
      server.close();
      this.listeners.delete(id);
      Reflect.deleteProperty(edges, id);
    }
  }

  private listen(id: string, make: () => Server | TcpServer): void {
    if (this.listeners.has(id)) return;
    const { state, store, host } = this.world;
    const server = make();
    this.listeners.set(id, server);
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    server.once("error", () => {
      server.listen(0, host); // Somebody else has taken the port meanwhile.
    });
    server.once("listening", () => {
      state.edges[id] = (server.address() as AddressInfo).port;
      store.save();
    });
    server.listen(state.edges[id] ?? 0, host);
  }

  private httpServer({ id }: DomainRecord): Server {
    const server = createServer((incoming, response) => {
      this.forward(id, incoming, response);
    });
    server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      this.upgrade(id, incoming, socket, head);
    });
    return server;
  }

  private place(
    id: string,
  ): { readonly domain: DomainRecord; readonly address: Address | null | undefined } | undefined {
    const domain = this.world.state.domains[id];
    return domain === undefined
      ? undefined
      : { domain, address: addressOf(this.world, domain, domain.targetPort, ++this.turn) };
  }

  private headers(incoming: IncomingMessage, { domain }: DomainRecord): Record<string, string | string[]> {
    const sent = incoming.socket.remoteAddress ?? "";
    return {
      ...without(incoming.headers as Record<string, string | string[]>, "connection"),
      "x-real-ip": sent,
      "x-forwarded-for": sent,
      "x-forwarded-proto": "https",
      "x-forwarded-host": domain,
      "x-railway-edge": "rehearsal",
    };
  }

  private forward(id: string, incoming: IncomingMessage, response: ServerResponse): void {
    const place = this.place(id);
    const fail = (status: number, message: string): void => {
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(status, { "content-type": "application/json", "x-railway-fallback": "true" })
          .end(JSON.stringify({ status: "error", code: status, message }));
    };
    if (place?.address === undefined) {
      fail(404, "Application not found");
      return;
    }
    if (place.address === null) {
      fail(502, "Application failed to respond");
      return;
    }
    const asked = request(
      {
        ...place.address,
        method: incoming.method,
        path: incoming.url,
        headers: { ...this.headers(incoming, place.domain), connection: "close" },
        agent: false,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, without(answer.headers, "connection", "keep-alive"));
        answer.pipe(response);
        answer.once("error", () => {
          response.destroy();
        });
      },
    );
    asked.once("error", () => {
      fail(502, "Application failed to respond");
    });
    response.once("close", () => {
      asked.destroy();
    });
    incoming.pipe(asked);
  }

  private upgrade(id: string, incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    const place = this.place(id);
    if (place?.address == null) {
      socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      return;
    }
    const { upgrade = "websocket" } = incoming.headers;
    const lines = Object.entries({ ...this.headers(incoming, place.domain), connection: "Upgrade", upgrade })
      .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`))
      .join("\r\n");
    this.relay(
      place.address,
      socket,
      Buffer.concat([Buffer.from(`GET ${incoming.url ?? "/"} HTTP/1.1\r\n${lines}\r\n\r\n`), head]),
    );
  }

  private tcpServer(proxy: TcpProxy): TcpServer {
    return createTcpServer({ pauseOnConnect: true }, (socket) => {
      const address = addressOf(this.world, proxy, proxy.applicationPort, ++this.turn);
      if (address == null) socket.destroy();
      else this.relay(address, socket, Buffer.alloc(0));
    });
  }

  /** Joins two connections until one of them ends. */
  private relay(address: Address, socket: Socket, first: Buffer): void {
    const upstream = connect(address);
    if (first.length > 0) upstream.write(first);
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
    };
    for (const one of [socket, upstream]) one.once("error", end).once("close", end);
    upstream.pipe(socket);
    socket.pipe(upstream);
    socket.resume();
  }

  /** Closes all listeners and the connections through them. */
  async close(): Promise<void> {
    this.world.changes.off("edges", this.look);
    const closed = [...this.listeners.values()].map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    );
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(closed);
  }
}
