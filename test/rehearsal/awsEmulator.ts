import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import type { Log } from "../../rehearsal/host/run";
import { leashed, poll } from "../../rehearsal/host/run";
import { ensureMoto, freePort } from "../../rehearsal/s3/moto";

/** AWS without hosts: what stands behind the relay of rehearsals, on loopback, whose instances run at once. */
export interface BareAws {
  readonly endpoint: string;
  /** Ends it; what was stored is gone. */
  stop(): Promise<void>;
}

/** Starts it; it ends with this process at the latest. */
export async function startBareAws(log: Log = () => undefined): Promise<BareAws> {
  const python = join(await ensureMoto(log), "bin", "python");
  const port = await freePort("127.0.0.1");
  const emulator = resolve(__dirname, "../../rehearsal/aws/emulator");
  const argv = leashed([python, "-B", emulator, "127.0.0.1", String(port), "10.255.0"]);
  const child = spawn(argv[0], argv.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4_000)));
  const ended = new Promise<void>((done) =>
    child.once("close", () => {
      done();
    }),
  );
  const endpoint = `http://127.0.0.1:${port}`;
  await poll(
    async () => {
      const answer = await fetch(`${endpoint}/homeport/facts`).catch(() => undefined);
      return answer?.ok === true ? true : undefined;
    },
    { timeoutMs: 60_000, everyMs: 200, failure: () => `the emulator of AWS doesn't answer: ${said}` },
  );
  return {
    endpoint,
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
