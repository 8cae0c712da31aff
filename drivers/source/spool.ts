import { close, openSync, read, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Readable } from "node:stream";
import { scratchFolder } from "./cache";

const CHUNK = 256 * 1024;

/**
 * A temporary file without a name: it is unlinked once open, so nobody else can open it, and the kernel frees it when
 * this process ends, however it ends.
 */
export class Spool {
  readonly #fd: number;
  readonly #streams = new Set<Readable>();
  #size = 0;
  #closed = false;

  constructor() {
    const folder = scratchFolder();
    try {
      this.#fd = openSync(join(folder, "spool"), "wx+", 0o600);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes at the end. */
  append(chunk: Uint8Array): void {
    for (let done = 0; done < chunk.length;) {
      const wrote = writeSync(this.#fd, chunk, done, chunk.length - done, this.#size);
      done += wrote;
      this.#size += wrote;
    }
  }

  /** Reads a range; several readers don't disturb each other. Default: all. */
  read(offset = 0, length = this.#size - offset): Readable {
    // No fs.ReadStream: that closes the descriptor when it is destroyed.
    const stream = Readable.from(this.#chunks(offset, offset + length), { objectMode: false });
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    return stream;
  }

  async *#chunks(from: number, to: number): AsyncGenerator<Buffer> {
    for (let at = from; at < to;) {
      // The descriptor's number may be another file's by now.
      if (this.#closed) throw new Error("the temporary file is gone: it was disposed of");
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, to - at));
      const { bytesRead } = await promisify(read)(this.#fd, buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error("a temporary file was cut short");
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Ends the open readers and frees the space. May be called more than once. */
  async dispose(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A descriptor closed under a running read could be another file's by then.
    await Promise.all([...this.#streams].map((stream) => new Promise((done) => stream.once("close", done).destroy())));
    await promisify(close)(this.#fd);
  }
}
