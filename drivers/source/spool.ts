import { close, createReadStream, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Readable } from "node:stream";
import { scratchFolder } from "./cache";

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
    if (length === 0) return Readable.from([]);
    // The path is unused when a descriptor is given; `start` makes every read positional.
    const stream = createReadStream("", {
      fd: this.#fd,
      autoClose: false,
      start: offset,
      end: offset + length - 1,
      highWaterMark: 256 * 1024,
    });
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    return stream;
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
