import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What a machine that saves or restores a database wants of the courier. */
export interface Errands {
  /** Takes so many bytes, which have this hash, and keeps them. */
  keep(body: Readable, about: { readonly bytes: number; readonly sha256: string }): Promise<void>;
  /** Gives what is to be restored. */
  give(): Promise<{ readonly body: Readable; readonly bytes: number; readonly sha256: string | undefined }>;
  /** Told what the machine says of its work. */
  say(line: string): void;
}

/** Where the machine finds the courier, and by what it is known to it. */
export interface Meeting {
  readonly port: number;
  readonly nonce: string;
}

const longestLine = 4096;

/**
 * A server on the organization's private network that carries one database's copy between the machine that makes or restores
 * it, whose image knows databases and nothing of buckets, and the bucket, whose key that machine needn't have.
 *
 * A connection begins with one line, `<nonce> put <bytes> <sha256>` and then the bytes, answered by `kept` or `refused <why>`;
 * `<nonce> get`, answered by `<bytes> <sha256 or -> ` and the bytes; or `<nonce> say <text>`.
 */
export class Courier {
  private readonly nonce = randomBytes(24).toString("hex");
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(private readonly errands: Errands) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => undefined);
      void this.serve(socket).catch((error: unknown) => {
        errands.say(`the courier's connection failed: ${error instanceof Error ? error.message : String(error)}`);
        socket.destroy();
      });
    });
  }

  /** On all addresses, IPv6 ones among them: Fly's private network has no others. */
  open(): Promise<Meeting> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(0, () => {
        resolve({ port: (this.server.address() as AddressInfo).port, nonce: this.nonce });
      });
    });
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private async serve(socket: Socket): Promise<void> {
    const { line, rest } = await firstLine(socket);
    const [nonce = "", act = "", ...words] = line.split(" ");
    if (!same(nonce, this.nonce)) {
      socket.destroy();
      return;
    }
    if (act === "say") {
      this.errands.say(words.join(" "));
      socket.end();
    } else if (act === "get") {
      const { body, bytes, sha256 } = await this.errands.give();
      socket.write(`${bytes} ${sha256 ?? "-"}\n`);
      await pipeline(body, socket);
    } else if (act === "put") {
      const [bytes = "", sha256 = ""] = words;
      const answer = await this.errands
        .keep(counted(socket, rest, Number(bytes)), { bytes: Number(bytes), sha256 })
        .then(
          () => "kept",
          (error: unknown) => `refused ${error instanceof Error ? error.message : String(error)}`,
        );
      socket.end(`${answer.replaceAll("\n", " ")}\n`);
    } else socket.destroy();
  }
}

function same(given: string, own: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(own)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function firstLine(socket: Socket): Promise<{ line: string; rest: Buffer }> {
  let all = Buffer.alloc(0);
  for (;;) {
    const part = socket.read() as Buffer | null;
    if (part === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error("it ended before it said what it wants");
      await new Promise<void>((resolve) => {
        const go = (): void => {
          for (const event of ["readable", "end", "close"]) socket.off(event, go);
          resolve();
        };
        for (const event of ["readable", "end", "close"]) socket.once(event, go);
      });
      continue;
    }
    all = Buffer.concat([all, part]);
    const end = all.indexOf(10);
    if (end >= 0) return { line: all.subarray(0, end).toString("utf8"), rest: all.subarray(end + 1) };
    if (all.length > longestLine) throw new Error("its first line has no end");
  }
}

/** Exactly so many bytes of what comes; the connection stays, for the answer. */
function counted(socket: Socket, first: Buffer, bytes: number): Readable {
  async function* parts(): AsyncGenerator<Buffer> {
    let left = bytes;
    if (first.length > 0) {
      yield first.subarray(0, left);
      left -= Math.min(left, first.length);
    }
    if (left === 0) return;
    for await (const part of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      yield part.subarray(0, left);
      left -= Math.min(left, part.length);
      if (left === 0) return;
    }
    throw new Error(`the connection ended with ${left} bytes missing`);
  }
  return Readable.from(parts(), { objectMode: false });
}
