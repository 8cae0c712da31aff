import path from "node:path";
import { type Log, makeOnce } from "./cache";
import { findExecutable } from "./find";
import { run } from "./process";

/** Where the official installer and the official plugins come from. */
const source = "https://get.pulumi.com/";

/** Whether the official downloads answer within three seconds. */
export async function isReachable(): Promise<boolean> {
  try {
    const answer = await fetch(source, { method: "HEAD", signal: AbortSignal.timeout(3_000) });
    return answer.status < 500;
  } catch {
    return false;
  }
}

/**
 * Installs the official CLI into a folder, by the Automation API, which takes the version of the SDK that the project
 * has. It runs as a process of its own, as it loads the whole SDK and can't be given a time limit.
 * @returns whether the folder has the CLI now
 */
export async function installOfficial(folder: string, version: string, project: string, log: Log): Promise<boolean> {
  const what = `the Pulumi CLI ${version}`;
  const script = `require("@pulumi/pulumi/automation").PulumiCommand.install({ root: process.argv[1] })
    .catch((error) => { console.error(error.message); process.exit(1); })`;
  try {
    await makeOnce(folder, what, log, async (into) => {
      log(`${what}: running the official installer`);
      const { code, stderr } = await run(process.execPath, ["-e", script, into], { cwd: project, timeout: 180_000 });
      const isComplete = findExecutable("pulumi", [path.join(into, "bin")]) !== undefined;
      if (code !== 0 || !isComplete) throw new Error(stderr.trim().split("\n").at(-1) ?? "");
    });
    return true;
  } catch (error) {
    log(`${what}: the official installer failed: ${(error as Error).message}`);
    return false;
  }
}
