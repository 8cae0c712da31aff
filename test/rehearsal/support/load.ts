import { Agent, get } from "node:http";

/** What became of a load: how many requests were answered 2xx, by the answer's body, and every one that wasn't. */
export interface Report {
  readonly sent: number;
  readonly answered: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  readonly slowestMs: number;
}

/** Clients that ask one address at an even pace, half over connections that they keep and half over a new one each time. */
export class Load {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private readonly pending = new Set<Promise<void>>();
  private readonly answered = new Map<string, number>();
  private readonly failures: string[] = [];
  private readonly begun = performance.now();
  private readonly timer: NodeJS.Timeout;
  private sent = 0;
  private slowestMs = 0;

  /**
   * @param perSecond Requests a second of both kinds together.
   * @param read What of an answer's body is counted, such as its version.
   */
  constructor(
    private readonly url: string,
    private readonly perSecond: number,
    private readonly read: (body: string) => string,
  ) {
    // As many as are due by now: a timer that comes late doesn't lower the rate.
    this.timer = setInterval(() => {
      while (this.sent < ((performance.now() - this.begun) / 1000) * this.perSecond) this.send();
    }, 5);
  }

  private send(): void {
    const kept = this.sent % 2 === 0;
    this.sent += 1;
    const one = this.ask(kept).then(
      (body) => {
        const key = this.read(body);
        this.answered.set(key, (this.answered.get(key) ?? 0) + 1);
      },
      (error: unknown) => {
        const at = ((performance.now() - this.begun) / 1000).toFixed(2);
        const how = kept ? "kept connection" : "new connection";
        this.failures.push(`at ${at} s, ${how}: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
    this.pending.add(one);
    void one.then(() => this.pending.delete(one));
  }

  private ask(kept: boolean): Promise<string> {
    const begun = performance.now();
    return new Promise((done, fail) => {
      const request = get(this.url, { agent: kept ? this.agent : false, timeout: 30_000 }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", fail);
        answer.on("end", () => {
          this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
          const body = Buffer.concat(parts).toString();
          if (answer.statusCode === 200) done(body);
          else fail(new Error(`status ${answer.statusCode ?? 0}: ${body.slice(0, 200)}`));
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer in 30 s")));
      request.on("error", fail);
    });
  }

  /** Stops asking, waits for the last answers, and tells. */
  async end(): Promise<Report> {
    clearInterval(this.timer);
    await Promise.all(this.pending);
    this.agent.destroy();
    const { sent, answered, failures, slowestMs } = this;
    return { sent, answered, failures, slowestMs };
  }
}

/** A load on `/version` of a stand-in, counted by the version that answers. */
export const versionLoad = (base: string, perSecond = 200): Load =>
  new Load(`${base}/version`, perSecond, (body) => (JSON.parse(body) as { version: string }).version);
