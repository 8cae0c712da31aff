import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startFly, type FlyEmulator } from "../../../rehearsal/fly/emulator";
import type { FlyState } from "../../../rehearsal/fly/state";
import type { Entry } from "../../../rehearsal/platform/journal";
import { PaperRuntime, type PaperBehaviour } from "../../../rehearsal/platform/paper";
import type { Container } from "../../../rehearsal/platform/runtime";
import type { FlySpec } from "../../../targets/fly/plan";
import type { FastTime } from "./time";

/** First digits of the images' digests that say how their programs behave. */
export const behaviours = { unhealthy: "8", failingRelease: "9" } as const;

/** Where nothing is said to listen on paper, checks pass; a release command ends by itself. */
function behave({ image, env }: Container): PaperBehaviour {
  const kind = /@sha256:(.)/.exec(image)?.[1];
  if (env["RELEASE_COMMAND"] === "1") {
    const code = kind === behaviours.failingRelease ? 1 : 0;
    return { exit: { code, afterMs: 20 }, logs: code === 0 ? ["migrates"] : ["relation exists"] };
  }
  // Nobody listens at port 1.
  if (kind === behaviours.unhealthy)
    return { listens: { 8080: { host: "127.0.0.1", port: 1 } }, logs: ["can't find module"] };
  return {};
}

/** An emulator of Fly in this process, its machines on paper, with a state of its own. */
export class PaperPlatform {
  /** Told of each call when it has been acted on and before it is answered, with its number from 1. */
  onCall: (number: number, entry: Omit<Entry, "at">) => void = () => undefined;

  private constructor(
    private readonly folder: string,
    readonly fly: FlyEmulator,
  ) {}

  /** @param from the folder of another platform that is to be gone on from; it stays as it is */
  static async open(folder: string, time: FastTime, from?: PaperPlatform): Promise<PaperPlatform> {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "state.json");
    if (from !== undefined) copyFileSync(join(from.folder, "state.json"), file);
    const runtime = new PaperRuntime(behave);
    const fly = await startFly({ file, runtime, clock: time.clock });
    const platform = new PaperPlatform(folder, fly);
    const note = fly.journal.note.bind(fly.journal);
    let number = 0;
    fly.journal.note = (call, status) => {
      note(call, status);
      const { changes } = fly.journal.entries(number)[0]!;
      const { method, path } = call;
      platform.onCall(++number, { number, method, path, query: call.query.toString(), status, changes });
    };
    return platform;
  }

  get state(): FlyState {
    return this.fly.world.state;
  }

  /** The plan, for this emulator, whose proxy knows of a change at once. */
  spec(plan: FlySpec): FlySpec {
    const { endpoint, token } = this.fly;
    const connection = { machinesUrl: endpoint, apiUrl: endpoint, org: "personal", token };
    return { ...plan, connection, propagationSeconds: 1 };
  }

  /** Waits until all that was asked of machines is done: Fly answers before a machine is gone. */
  async settled(): Promise<void> {
    while (this.fly.world.tasks.size > 0) await Promise.all(this.fly.world.tasks.values());
  }

  async close(): Promise<void> {
    await this.fly.close();
    rmSync(this.folder, { recursive: true });
  }
}
