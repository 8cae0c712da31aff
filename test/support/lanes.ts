/** Starts one part of an output, which begins with a heading. */
export type Show = (heading: string) => Shown;

/** One part of an output. */
export interface Shown {
  write(chunk: string | Buffer): void;
  /** Nothing is shown of this part after its end. */
  end(): void;
}

/**
 * Keeps parts that come at the same time apart: the one that began first is shown as it comes, the others wait for their
 * turn, each as a whole.
 */
export function inTurns(write: (chunk: string | Buffer) => void): Show {
  const parts: { readonly held: (string | Buffer)[]; ended: boolean }[] = [];
  const flush = (): void => {
    for (let first = parts[0]; first !== undefined; first = parts[0]) {
      for (const chunk of first.held.splice(0)) write(chunk);
      if (!first.ended) return;
      parts.shift();
    }
  };
  return (heading) => {
    const part = { held: [heading] as (string | Buffer)[], ended: false };
    parts.push(part);
    flush();
    return {
      write: (chunk) => {
        if (part.ended) return;
        part.held.push(chunk);
        flush();
      },
      end: () => {
        part.ended = true;
        flush();
      },
    };
  };
}

/** Does the work on each item, so many at a time, begun in their order. @returns the results in that order, too */
export async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  const left = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.max(1, lanes) }, lane));
  return results;
}
