import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";

/** Text frames of a WebSocket, and its end. */
export interface WebSocketEvents {
  readonly onText: (text: string) => void;
  /** Called once, however the connection ends. */
  readonly onEnd: () => void;
}

/** A client's side of a WebSocket (RFC 6455), for short texts. */
export interface WebSocket {
  send(text: string): void;
  close(): void;
}

const text = 1;
const close = 8;
const ping = 9;
const pong = 10;

/** A frame as clients send it: whole, and masked (RFC 6455, section 5.2). */
export function frame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const long = payload.length > 125;
  const head = Buffer.from(
    long
      ? [0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 255]
      : [0x80 | opcode, 0x80 | payload.length],
  );
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

/** Takes the whole frames off the front of what a server sent. Parts of split messages come as frames of their own. */
export function frames(bytes: Buffer): { frames: { opcode: number; payload: Buffer }[]; rest: Buffer } {
  const found: { opcode: number; payload: Buffer }[] = [];
  let rest = bytes;
  while (rest.length >= 2) {
    const short = (rest[1] ?? 0) & 127;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (rest.length < head) break;
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
    if (rest.length < head + length) break;
    found.push({ opcode: (rest[0] ?? 0) & 15, payload: rest.subarray(head, head + length) });
    rest = rest.subarray(head + length);
  }
  return { frames: found, rest };
}

/** Opens a WebSocket. Rejects where the server doesn't switch protocols. */
export function openWebSocket(url: string, events: WebSocketEvents): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    };
    const asked = request(url, { headers, agent: false, timeout: 10_000 });
    asked.once("timeout", () => asked.destroy(new Error("no answer in 10 s")));
    asked.once("error", reject);
    asked.once("response", (response) => {
      asked.destroy();
      reject(new Error(`status ${response.statusCode ?? "none"}`));
    });
    asked.once("upgrade", (_response, socket: Socket, head: Buffer) => {
      socket.setTimeout(0);
      let rest = head;
      const take = (chunk: Buffer): void => {
        const read = frames(Buffer.concat([rest, chunk]));
        rest = read.rest;
        for (const { opcode, payload } of read.frames) {
          if (opcode === text) events.onText(payload.toString());
          else if (opcode === ping) socket.write(frame(pong, payload));
          else if (opcode === close) socket.end(frame(close, payload));
        }
      };
      socket.on("data", take);
      socket.on("error", () => undefined);
      socket.once("close", events.onEnd);
      take(Buffer.alloc(0));
      resolve({
        send: (words) => void socket.write(frame(text, Buffer.from(words))),
        close: () => socket.end(frame(close, Buffer.alloc(0))),
      });
    });
    asked.end();
  });
}
