import { readFileSync } from "node:fs";
import path from "node:path";
import type { Log } from "./cache";
import { EngineError } from "./error";
import { findExecutable, isAtLeast } from "./find";
import { run } from "./process";

/** The version of a module that a go.mod pins, without its v, or undefined. */
export function pinnedVersion(goMod: string, module: string): string | undefined {
  const line = goMod.split("\n").find((text) =>
    text
      .replace(/^require/, "")
      .trim()
      .startsWith(`${module} `),
  );
  return line
    ?.trim()
    .split(/\s+/)
    .at(line.startsWith("require") ? 2 : 1)
    ?.replace(/^v/, "");
}

/** What to build. */
export interface GoBuild {
  /** Named in progress and errors, for example "the Pulumi CLI". */
  readonly what: string;
  /** The folder of the go.mod. */
  readonly module: string;
  readonly packages: readonly string[];
  /** Variables that the linker sets, by their full names. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The Go release that a go.mod asks for, for example 1.24.7. */
export const neededGo = (goMod: string): string => /^go (\S+)$/m.exec(goMod)?.[1] ?? "1.24";

async function checkGo(what: string, module: string): Promise<void> {
  const needed = neededGo(readFileSync(path.join(module, "go.mod"), "utf8"));
  const mend = [
    `install Go ${needed} or later (https://go.dev/dl) and have \`go\` on PATH`,
    "or install Pulumi itself (https://www.pulumi.com/docs/install) and have `pulumi` on PATH",
  ];
  if (findExecutable("go", (process.env["PATH"] ?? "").split(path.delimiter)) === undefined) {
    throw new EngineError(
      `Can't build ${what}.`,
      "there is no `go` on PATH, and no official download was to be had",
      mend,
    );
  }
  const { stdout } = await run("go", ["env", "GOVERSION"], { cwd: "/" });
  const version = stdout.trim().replace(/^go/, "");
  // Go itself fetches the release that a go.mod asks for, unless it was told to stay local.
  const { stdout: toolchain } = await run("go", ["env", "GOTOOLCHAIN"], { cwd: "/" });
  if (!isAtLeast(version, needed) && (toolchain.trim() === "local" || !isAtLeast(version, "1.21"))) {
    throw new EngineError(`Can't build ${what}.`, `it needs Go ${needed} or later, and \`go\` is ${version}`, mend);
  }
}

/** The line of Go's output that says what went wrong, and whether a module could not be fetched. */
export function explainGo(stderr: string): { why: string; isDownload: boolean } {
  const lines = stderr.split("\n").map((line) => line.trim());
  const failed = lines.filter((line) => line !== "" && !line.startsWith("go: downloading"));
  const download =
    /dial tcp|no such host|i\/o timeout|connection refused|TLS|certificate|proxyconnect|\b(403|404|410|5\d\d) |unrecognized import path|lookup disabled/;
  const line = failed.find((text) => download.test(text));
  return { why: line ?? failed.slice(-5).join("; "), isDownload: line !== undefined };
}

/**
 * Builds Go packages into a folder, telling each ten seconds how far it is.
 * @throws EngineError where Go is missing or too old, a module can't be fetched, or the build fails
 */
export async function goBuild(build: GoBuild, into: string, log: Log): Promise<void> {
  await checkGo(build.what, build.module);
  const started = Date.now();
  const seconds = (): string => String(Math.round((Date.now() - started) / 1000));
  const counts = { downloaded: 0, compiled: 0 };
  log(`${build.what}: building from source, which takes a few minutes the first time`);
  const ticker = setInterval(() => {
    const { downloaded, compiled } = counts;
    log(
      `${build.what}: ${seconds()} s, ${String(downloaded)} modules downloaded, ${String(compiled)} packages compiled`,
    );
  }, 10_000);
  const variables = Object.entries(build.variables).map(([name, value]) => `-X ${name}=${value}`);
  const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", ["-s", "-w", ...variables].join(" ")];
  const result = await run("go", ["build", "-v", ...flags, "-o", into + path.sep, ...build.packages], {
    cwd: build.module,
    env: { ...process.env, GOWORK: "off", CGO_ENABLED: "0" },
    onLine: (line) => {
      counts[line.startsWith("go: downloading") ? "downloaded" : "compiled"] += 1;
    },
  });
  clearInterval(ticker);
  if (result.code === 0) {
    log(`${build.what}: built in ${seconds()} s`);
    return;
  }
  const { why, isDownload } = explainGo(result.stderr.replace(/^[\w./-]+\n/gm, ""));
  throw new EngineError(
    `Can't build ${build.what}.`,
    isDownload ? `a Go module could not be fetched: ${why}` : why,
    isDownload
      ? ["check the network and `go env GOPROXY`, then run the same command again: what was fetched is kept"]
      : [`see all of it with: cd ${build.module} && go build -o /dev/null ${build.packages.join(" ")}`],
  );
}
