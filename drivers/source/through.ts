import type { Readable, Transform } from "node:stream";

/**
 * What comes out of a transform that a source is fed into. Unlike stream.pipeline, an error of the consumer stays the
 * one that is thrown, not the abort that follows from it.
 */
export async function* through(source: Readable, transform: Transform): AsyncGenerator<Buffer> {
  source.on("error", (error) => transform.destroy(error));
  source.pipe(transform);
  try {
    yield* transform as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
    transform.destroy();
  }
}
