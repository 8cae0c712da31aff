/** Reads a stream of chunks by the byte. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** So many bytes, as they come; fewer when the stream ends before. */
  async *take(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (this.#buffer.length === 0 && !(await this.#more())) return;
      const part = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  /** So many bytes at once; fewer when the stream ends before. */
  async whole(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.take(count)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** The text before the next line feed, which is skipped; undefined when the stream ends before. */
  async line(): Promise<string | undefined> {
    let end: number;
    while ((end = this.#buffer.indexOf(0x0a)) < 0) if (!(await this.#more())) return undefined;
    const line = this.#buffer.toString("latin1", 0, end);
    this.#buffer = this.#buffer.subarray(end + 1);
    return line;
  }

  async #more(): Promise<boolean> {
    const chunk = await this.#chunks.next();
    if (chunk.done === true) return false;
    this.#buffer = this.#buffer.length === 0 ? chunk.value : Buffer.concat([this.#buffer, chunk.value]);
    return true;
  }
}
