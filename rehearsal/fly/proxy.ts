import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from "node:http";
import {
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
  connect,
  createServer as createTcpServer,
} from "node:net";
import { without } from "../platform/without";
import { choose, idle, isGood, serviceOf } from "./balance";
import { enqueue, stopMachine } from "./lifecycle";
import type { Machine } from "./state";
import { machinesOf, ulid } from "./world";
import type { World } from "./world";

/** How long a request waits for a machine that can take it. */
const patienceMs = 15_000;

interface Place {
  readonly machine: Machine;
  readonly host: string;
  readonly port: number;
  /** The request is over. */
  free(): void;
}

/** Fly's proxy: a listener for each public port of each app, on a free port of this machine, without TLS. */
export class Edge {
  private readonly listeners = new Map<string, Server | TcpServer>();
  private readonly lastUsed = new Map<string, number>();
  private readonly sockets = new Set<Socket>();
  private readonly look = (): void => {
    this.open();
  };
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly world: World,
    private readonly host: string,
  ) {
    world.changes.on("machine", this.look);
    this.open();
    this.sweeper = setInterval(() => {
      this.stopIdle();
    }, world.settings.sweepMs ?? 1_000);
    this.sweeper.unref();
  }

  /** Opens a listener for each port that some machine of an app answers on. */
  private open(): void {
    for (const app of Object.keys(this.world.state.apps)) {
      for (const machine of machinesOf(this.world, app)) {
        for (const service of machine.config.services ?? []) {
          if (service.protocol !== "tcp") continue;
          for (const { port, handlers = [] } of service.ports ?? [])
            if (port !== undefined) this.listen(app, port, handlers.includes("http"));
        }
      }
    }
  }

  private listen(app: string, port: number, isHttp: boolean): void {
    const name = `${app}:${port}`;
    if (this.listeners.has(name)) return;
    const server = isHttp ? this.httpServer(app, port) : this.tcpServer(app, port);
    this.listeners.set(name, server);
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    const known = this.world.state.edges[name];
    server.once("error", () => {
      server.listen(0, this.host); // Somebody else has taken the port meanwhile.
    });
    server.once("listening", () => {
      this.world.state.edges[name] = (server.address() as AddressInfo).port;
      this.world.store.save();
      this.world.changes.emit("network");
    });
    server.listen(known ?? 0, this.host);
  }

  /** Waits for a machine that can take a request. */
  private async place(app: string, port: number, not: Set<string>, only?: string): Promise<Place | undefined> {
    const { world } = this;
    const until = world.clock.now() + patienceMs;
    do {
      const machine = choose(world, app, port, not, only);
      if (machine !== undefined) {
        const address = world.runtime.address(machine.id, serviceOf(machine, port)!.internal_port);
        if (address !== undefined) {
          world.load.set(machine.id, (world.load.get(machine.id) ?? 0) + 1);
          return { machine, ...address, free: this.freeing(machine) };
        }
        not.add(machine.id);
      } else if (not.size > 0) not.clear(); // Those that refused a connection are asked again.
      await world.clock.sleep(20);
    } while (world.clock.now() < until);
    return undefined;
  }

  /** The one machine that a request asks for: https://fly.io/docs/networking/dynamic-request-routing/ */
  private wanted(app: string, port: number, { headers }: IncomingMessage): string | undefined {
    const { "fly-force-instance-id": forced, "fly-prefer-instance-id": preferred } = headers;
    if (typeof forced === "string") return forced;
    const there = machinesOf(this.world, app).find(({ id }) => id === preferred);
    return there !== undefined && isGood(there) && serviceOf(there, port) !== undefined ? there.id : undefined;
  }

  private freeing(machine: Machine): () => void {
    let isFree = false;
    return () => {
      if (isFree) return;
      isFree = true;
      this.world.load.set(machine.id, Math.max(0, (this.world.load.get(machine.id) ?? 1) - 1));
      this.lastUsed.set(machine.id, this.world.clock.now());
    };
  }

  private headers(incoming: IncomingMessage, port: number): Record<string, string | string[]> {
    const sent = incoming.socket.remoteAddress ?? "";
    return {
      ...without(incoming.headers as Record<string, string | string[]>, "connection"),
      "fly-client-ip": sent,
      "x-forwarded-for": sent,
      "x-forwarded-proto": port === 443 ? "https" : "http",
      "x-forwarded-port": String(port),
      "fly-forwarded-proto": port === 443 ? "https" : "http",
      "fly-request-id": `${ulid(this.world.clock.now())}-rehearsal`,
      "fly-region": this.world.state.regions[0]?.code ?? "",
    };
  }

  private httpServer(app: string, port: number): Server {
    const server = createServer((incoming, response) => {
      const isForced = machinesOf(this.world, app).some((machine) =>
        serviceOf(machine, port)?.ports?.some((one) => one.port === port && one.force_https === true),
      );
      if (isForced && port !== 443) {
        response.writeHead(301, { location: `https://${app}.fly.dev${incoming.url ?? "/"}` }).end();
        return;
      }
      void this.forward(app, port, incoming, response, new Set());
    });
    // Node.js's own 5 s are so short that a busy client's request meets the end of its connection.
    server.keepAliveTimeout = 65_000;
    server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      void this.upgrade(app, port, incoming, socket, head);
    });
    return server;
  }

  /** A connection that can't be made is tried on another machine: nothing of the request has been sent then. */
  private async forward(
    app: string,
    port: number,
    incoming: IncomingMessage,
    response: ServerResponse,
    refused: Set<string>,
  ): Promise<void> {
    const place = await this.place(app, port, refused, this.wanted(app, port, incoming));
    if (place === undefined) {
      response.writeHead(503, { "content-type": "text/plain" }).end("could not find a good candidate\n");
      return;
    }
    let isConnected = false;
    const asked = request(
      {
        host: place.host,
        port: place.port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...this.headers(incoming, port), connection: "close" },
        agent: false,
      },
      (answer) => {
        const headers = without(answer.headers, "connection", "keep-alive");
        response.writeHead(answer.statusCode ?? 502, { ...headers, "fly-machine-id": place.machine.id });
        answer.pipe(response);
        answer.once("error", () => {
          response.destroy();
        });
      },
    );
    asked.once("socket", (socket) => {
      socket.once("connect", () => {
        isConnected = true;
        incoming.pipe(asked);
      });
    });
    asked.once("error", () => {
      place.free();
      if (!isConnected && !response.destroyed) {
        refused.add(place.machine.id);
        void this.forward(app, port, incoming, response, refused);
      } else if (!response.headersSent) response.writeHead(502).end();
      else response.destroy();
    });
    response.once("close", () => {
      place.free();
      asked.destroy();
    });
  }

  private async upgrade(
    app: string,
    port: number,
    incoming: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    const place = await this.place(app, port, new Set(), this.wanted(app, port, incoming));
    if (place === undefined) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
      return;
    }
    const { upgrade = "websocket" } = incoming.headers;
    const lines = Object.entries({ ...this.headers(incoming, port), connection: "Upgrade", upgrade })
      .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`))
      .join("\r\n");
    this.relay(
      place,
      socket,
      Buffer.concat([Buffer.from(`GET ${incoming.url ?? "/"} HTTP/1.1\r\n${lines}\r\n\r\n`), head]),
    );
  }

  private tcpServer(app: string, port: number): TcpServer {
    return createTcpServer({ pauseOnConnect: true }, (socket) => {
      void this.place(app, port, new Set()).then((place) => {
        if (place === undefined) socket.destroy();
        else this.relay(place, socket, Buffer.alloc(0));
      });
    });
  }

  /** Joins two connections until one of them ends. */
  private relay(place: Place, socket: Socket, first: Buffer): void {
    const upstream = connect({ host: place.host, port: place.port });
    if (first.length > 0) upstream.write(first);
    const end = (): void => {
      place.free();
      socket.destroy();
      upstream.destroy();
    };
    for (const one of [socket, upstream]) one.once("error", end).once("close", end);
    upstream.pipe(socket);
    socket.pipe(upstream);
    socket.resume();
  }

  private stopIdle(): void {
    for (const app of Object.keys(this.world.state.apps)) {
      for (const machine of idle(this.world, app, this.lastUsed)) {
        if (this.world.tasks.has(machine.id)) continue;
        void enqueue(this.world, machine, () => stopMachine(this.world, machine, { source: "proxy" }));
      }
    }
  }

  /** Closes all listeners and the connections through them. */
  async close(): Promise<void> {
    clearInterval(this.sweeper);
    this.world.changes.off("machine", this.look);
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
