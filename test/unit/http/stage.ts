import { Client, Deadline, type ClientOptions, type World } from "../../../drivers/http";

/** One answer of a scripted platform: a response, a connection that was refused, or an answer that was lost. */
export type Line =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | "refused"
  | "lost";

/** A world with a clock of its own that runs only while somebody waits, and a platform that answers by script. */
export class Stage {
  time = 1_800_000_000_000;
  readonly waits: number[] = [];
  readonly seen: { readonly url: string; readonly init: RequestInit; readonly at: number }[] = [];
  private readonly lines: Line[];

  constructor(
    lines: readonly Line[],
    private readonly chance: () => number = () => 0.5,
  ) {
    this.lines = [...lines];
  }

  get world(): World {
    return {
      now: () => this.time,
      sleep: (ms, signal) => {
        signal?.throwIfAborted();
        this.waits.push(ms);
        this.time += ms;
        return Promise.resolve();
      },
      random: this.chance,
      fetch: (url, init) => {
        this.seen.push({ url, init, at: this.time });
        const line = this.lines.length > 1 ? this.lines.shift() : this.lines[0];
        if (line === undefined || line === "lost") return Promise.reject(broken("other side closed", "UND_ERR_SOCKET"));
        if (line === "refused") return Promise.reject(broken("connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED"));
        const text =
          typeof line.body === "string" ? line.body : line.body === undefined ? "" : JSON.stringify(line.body);
        const headers = line.headers ?? {};
        return Promise.resolve(new Response(text === "" ? null : text, { status: line.status, headers }));
      },
    };
  }

  client(options: Partial<ClientOptions> = {}): Client {
    return new Client({ base: "https://api.example.test/v1", headers: {}, secrets: [], world: this.world, ...options });
  }

  deadline(seconds = 600): Deadline {
    return Deadline.after(seconds, "the step", this.world);
  }
}

/** As undici words it: the cause below a `fetch failed`. */
function broken(message: string, code: string): Error {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) });
}
