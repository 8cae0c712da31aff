/** What an emulator is told to do wrong, some number of times. */
export interface Fault {
  /**
   * What happens to a matching call. `status`: it is refused with `status` before anything is done. `lost`: it is done, and
   * the connection is cut instead of an answer. `refused`: the connection is cut before anything is done. `slow`: it waits
   * `ms` first. Anything else: what the platform itself knows, such as `startFailure`.
   */
  readonly kind: string;
  /** A JavaScript regular expression on the method. Default: any. */
  readonly method?: string;
  /** A JavaScript regular expression on the path without its query. Default: any. */
  readonly path?: string;
  /** How many matching calls pass before it begins. Default: 0. */
  readonly after?: number;
  /** How many matching calls it strikes. Default: 1. */
  readonly count?: number;
  readonly status?: number;
  /** The answer's Retry-After header, in seconds or as a date. Default: none. */
  readonly retryAfter?: string;
  readonly ms?: number;
  /** The answer's body. Default: the platform's own form of an error. */
  readonly body?: unknown;
}

interface Live {
  readonly fault: Fault;
  skip: number;
  left: number;
}

const callKinds = ["status", "lost", "refused", "slow"];

/** The faults that are switched on. */
export class Faults {
  private live: Live[] = [];

  add(fault: Fault): void {
    this.live.push({ fault, skip: fault.after ?? 0, left: fault.count ?? 1 });
  }

  clear(): void {
    this.live = [];
  }

  /** What is still to strike. */
  list(): readonly Fault[] {
    return this.live.map(({ fault, left, skip }) => ({ ...fault, count: left, after: skip }));
  }

  /** The fault that strikes a call, counted. */
  strike(method: string, path: string): Fault | undefined {
    return this.take((fault) => callKinds.includes(fault.kind), method, path);
  }

  /** Whether a fault of a platform's own kind strikes something, counted: `path` is then what it says it is about. */
  happens(kind: string, path: string): boolean {
    return this.take((fault) => fault.kind === kind, "", path) !== undefined;
  }

  private take(wanted: (fault: Fault) => boolean, method: string, path: string): Fault | undefined {
    for (const one of this.live) {
      const { fault } = one;
      if (!wanted(fault) || !fits(fault.method, method) || !fits(fault.path, path)) continue;
      if (one.skip > 0) {
        one.skip -= 1;
        continue;
      }
      one.left -= 1;
      if (one.left <= 0) this.live = this.live.filter((other) => other !== one);
      return fault;
    }
    return undefined;
  }
}

function fits(pattern: string | undefined, text: string): boolean {
  return pattern === undefined || new RegExp(pattern).test(text);
}
