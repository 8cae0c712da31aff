import { join } from "node:path";
import { cacheRoot, fingerprint, makeOnce, type Log } from "../../engine/cache";
import { EngineError } from "../../engine/error";
import { goBuild } from "../../engine/golang";
import { run } from "../../engine/process";
import { aptInstall } from "../../rehearsal/host/tools";

/** The programs that check workflows, by their absolute paths. */
export interface Linters {
  readonly actionlint: string;
  readonly zizmor: string;
}

const manifest = (name: string): string => join(__dirname, name);

/**
 * Brings both in the pinned versions, once, into the cache.
 * @throws EngineError where Go, Python or a registry isn't there
 */
export async function ensureLinters(log: Log): Promise<Linters> {
  const [actionlint, zizmor] = await Promise.all([ensureActionlint(log), ensureZizmor(log)]);
  return { actionlint, zizmor };
}

async function ensureActionlint(log: Log): Promise<string> {
  const files = ["go.mod", "go.sum"].map(manifest);
  const folder = join(cacheRoot(), "linters", `actionlint-${fingerprint(files, process.platform, process.arch)}`);
  const packages = ["github.com/rhysd/actionlint/cmd/actionlint"];
  const build = { what: "actionlint", module: __dirname, packages, variables: {} };
  await makeOnce(folder, build.what, log, (into) => goBuild(build, join(into, "bin"), log));
  return join(folder, "bin", "actionlint");
}

async function ensureZizmor(log: Log): Promise<string> {
  const requirements = manifest("requirements.txt");
  const folder = join(cacheRoot(), "linters", `zizmor-${fingerprint([requirements], process.platform, process.arch)}`);
  await makeOnce(folder, "zizmor", log, async (into) => {
    const pip = await run("python3", ["-m", "pip", "--version"]);
    if (pip.code !== 0) await aptInstall(["python3", "python3-pip"], log);
    // Its package holds one program and no Python module: no environment is needed.
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", into];
    const { code, stderr } = await run("python3", [...install, "--requirement", requirements]);
    if (code === 0) return;
    throw new EngineError("Can't install zizmor.", stderr.trim().split("\n").slice(-3).join("; "), [
      "check that this machine reaches PyPI, and run the same command again",
    ]);
  });
  return join(folder, "bin", "zizmor");
}
