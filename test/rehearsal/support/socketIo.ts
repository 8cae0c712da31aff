import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/**
 * A client of a Socket.IO server, over a WebSocket from the start. Engine.IO 4's packets are a digit and text
 * (https://github.com/socketio/engine.io-protocol): 0 open, 2 ping, 3 pong, 4 message; Socket.IO's, inside of a message:
 * 0 connect, 1 disconnect, 2 event.
 */
export class SocketIo {
  readonly events: { readonly name: string; readonly data: unknown; readonly at: number }[] = [];
  /** Why the connection is no more; undefined while it is. */
  ended: string | undefined;
  private buffer = Buffer.alloc(0);

  private constructor(private readonly socket: Socket) {
    const end = (why: string) => (): void => {
      this.ended ??= why;
    };
    socket.on("error", (error) => {
      end(error.message)();
    });
    socket.on("close", end("the connection was closed"));
  }

  static connect(host: string, port: number): Promise<SocketIo> {
    return new Promise((done, fail) => {
      const socket = connect({ host, port });
      const client = new SocketIo(socket);
      const key = randomBytes(16).toString("base64");
      socket.once("connect", () => {
        const head = [
          "Upgrade: websocket",
          "Connection: Upgrade",
          "Sec-WebSocket-Version: 13",
          `Sec-WebSocket-Key: ${key}`,
        ];
        const path = "/socket.io/?EIO=4&transport=websocket";
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${head.join("\r\n")}\r\n\r\n`);
      });
      const timer = setTimeout(() => {
        socket.destroy();
        fail(new Error("The server didn't accept a Socket.IO client within 10 s."));
      }, 10_000);
      socket.once("error", fail);
      let head = "";
      const handshake = (chunk: Buffer): void => {
        head += chunk.toString("latin1");
        const at = head.indexOf("\r\n\r\n");
        if (at < 0) return;
        socket.off("data", handshake);
        clearTimeout(timer);
        // RFC 6455, section 1.3.
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        if (!head.startsWith("HTTP/1.1 101") || !head.includes(accept)) {
          socket.destroy();
          fail(new Error(`No WebSocket: ${head.slice(0, 300)}`));
          return;
        }
        socket.on("data", (more: Buffer) => {
          client.take(more);
        });
        client.take(Buffer.from(head.slice(at + 4), "latin1"));
        client.send("40");
        // A test that is left early must not be kept from ending.
        socket.unref();
        done(client);
      };
      socket.on("data", handshake);
    });
  }

  /** Events of a name that have come so far. */
  named(name: string): unknown[] {
    return this.events.filter((event) => event.name === name).map((event) => event.data);
  }

  emit(name: string, data: unknown): void {
    this.send(`42${JSON.stringify([name, data])}`);
  }

  close(): void {
    this.ended ??= "this client closed it";
    this.socket.destroy();
  }

  /** RFC 6455, section 5.2: whole text frames of up to 65,535 bytes, masked as clients must. */
  private send(text: string): void {
    const payload = Buffer.from(text);
    const mask = randomBytes(4);
    const length =
      payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 0xff];
    const masked = payload.map((byte, index) => byte ^ mask[index % 4]!);
    this.socket.write(Buffer.concat([Buffer.from([0x81, ...length]), mask, masked]));
  }

  private take(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    for (;;) {
      const short = this.buffer.length < 2 ? undefined : this.buffer[1]! & 0x7f;
      if (short === undefined || (short === 126 && this.buffer.length < 4)) return;
      if (short === 127) throw new Error("A frame of more than 65,535 bytes came.");
      const start = short === 126 ? 4 : 2;
      const length = short === 126 ? this.buffer.readUInt16BE(2) : short;
      if (this.buffer.length < start + length) return;
      const opcode = this.buffer[0]! & 0x0f;
      const payload = this.buffer.subarray(start, start + length).toString();
      this.buffer = this.buffer.subarray(start + length);
      if (opcode === 8) this.ended ??= "the server closed the WebSocket";
      else if (opcode === 1) this.packet(payload);
    }
  }

  private packet(text: string): void {
    if (text.startsWith("2")) this.send("3");
    else if (text.startsWith("41")) this.ended ??= "the server said goodbye";
    else if (text.startsWith("42")) {
      const [name, data] = JSON.parse(text.slice(2)) as [string, unknown];
      this.events.push({ name, data, at: Date.now() });
    }
  }
}
