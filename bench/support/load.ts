import { Agent, get, type RequestOptions } from "node:http";
import { quantile } from "./stats";

/** What a stream of requests met. */
export interface Answers {
  readonly sent: number;
  readonly failed: number;
  /** How often each reason was given. */
  readonly reasons: Readonly<Record<string, number>>;
  /** How often each version answered. */
  readonly versions: Readonly<Record<string, number>>;
  /** Milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Both kinds of client, half of the rate each. */
export type Outcome = Readonly<Record<"kept" | "fresh", Answers>>;

class Client {
  private sent = 0;
  private readonly reasons: Record<string, number> = {};
  private readonly versions: Record<string, number> = {};
  private readonly latencies: number[] = [];
  private readonly open = new Set<Promise<void>>();

  constructor(
    private readonly url: string,
    private readonly options: RequestOptions,
  ) {}

  ask(): void {
    this.sent++;
    const asked = performance.now();
    const answer = this.answer().then(
      (version) => {
        this.versions[version] = (this.versions[version] ?? 0) + 1;
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
      },
    );
    const open = answer.finally(() => {
      this.latencies.push(performance.now() - asked);
      this.open.delete(open);
    });
    this.open.add(open);
  }

  private answer(): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get(this.url, { ...this.options, timeout: 10_000 }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.once("error", reject);
        response.once("close", () => {
          if (!response.complete) reject(new Error("cut off in its answer"));
          else if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode ?? "none"}`));
          else resolve((JSON.parse(text) as { version: string }).version);
        });
      });
      request.once("timeout", () => request.destroy(new Error("no answer in 10 s")));
      request.once("error", reject);
    });
  }

  async end(): Promise<Answers> {
    await Promise.all(this.open);
    const failed = Object.values(this.reasons).reduce((sum, count) => sum + count, 0);
    const sorted = this.latencies.sort((one, other) => one - other);
    const latency = { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: sorted.at(-1) ?? Number.NaN };
    return { sent: this.sent, failed, reasons: this.reasons, versions: this.versions, latency };
  }
}

/** Asks at an even rate, whether answers come or not, until stdin ends; then prints an `Outcome`. */
function main(url: string, rate: number): void {
  const kept = new Client(url, { agent: new Agent({ keepAlive: true, maxSockets: 64 }) });
  const fresh = new Client(url, { agent: false });
  const started = performance.now();
  let asked = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - started) / 1000) * rate;
    for (; asked < due; asked++) (asked % 2 === 0 ? kept : fresh).ask();
  }, 2);
  process.stdin.resume();
  process.stdin.once("end", () => {
    clearInterval(timer);
    void Promise.all([kept.end(), fresh.end()]).then(([one, other]) => {
      const outcome: Outcome = { kept: one, fresh: other };
      process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
    });
  });
}

if (require.main === module) main(process.argv[2] ?? "", Number(process.argv[3]));
