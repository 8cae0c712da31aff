import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { SourceError } from "./error";
import { redact } from "./redact";

/** How one git command ended. */
export interface GitResult {
  /** Exit status; -1 when a signal ended it. */
  code: number;
  stdout: Buffer;
  /** With credentials blanked. */
  stderr: string;
  timedOut: boolean;
}

export interface GitOptions {
  cwd?: string;
  /** Added to the environment, over the inherited one. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds. Default 60,000. */
  timeoutMs?: number;
}

/**
 * Settings for every call: nothing may run a hook or a daemon of the repository looked at, and a silent server is
 * given up (git-config(1): http.lowSpeedLimit in bytes a second, http.lowSpeedTime in seconds).
 */
const SETTINGS = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "gc.auto=0",
  "maintenance.auto=false",
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=30",
];

/** The variables of `git rev-parse --local-env-vars` that would point git at another repository, as inside a hook. */
const REPOSITORY_VARIABLES = [
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_CONFIG",
  "GIT_DIR",
  "GIT_GLOB_PATHSPECS",
  "GIT_GRAFT_FILE",
  "GIT_ICASE_PATHSPECS",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_LITERAL_PATHSPECS",
  "GIT_NAMESPACE",
  "GIT_NOGLOB_PATHSPECS",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
];

/** The environment of every git call: no prompts, English messages, no repository but the one named. */
export function gitEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of REPOSITORY_VARIABLES) Reflect.deleteProperty(env, name);
  return {
    ...env,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GCM_INTERACTIVE: "never",
    SSH_ASKPASS_REQUIRE: "never",
    ...extra,
  };
}

/** Starts git with its three streams piped; for commands whose output is too big to hold. */
export function startGit(args: readonly string[], options: GitOptions = {}): ChildProcess {
  const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
  return spawn("git", [...settings, ...args], {
    cwd: options.cwd,
    env: gitEnvironment(options.env),
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/**
 * Runs one git command to its end, whatever its status.
 * @throws SourceError when git isn't installed
 */
export async function runGit(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const child = startGit(args, options);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin?.on("error", () => undefined).end();
  let timedOut = false;
  const stop = (signal: NodeJS.Signals): void => {
    timedOut = true;
    child.kill(signal);
    // A helper that outlives git would hold the pipes open, and this call with them.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const limit = options.timeoutMs ?? 60_000;
  // SIGTERM first: on it git stops its transport helpers and removes its lock files.
  const timers = [setTimeout(stop, limit, "SIGTERM"), setTimeout(stop, limit + 2_000, "SIGKILL")];
  try {
    const code = await new Promise<number>((done, fail) => {
      child.once("error", (error) => {
        fail(cannotStart(error));
      });
      child.once("close", (status) => {
        done(status ?? -1);
      });
    });
    const text = redact(Buffer.concat(stderr).toString("utf8")).trim();
    return { code, stdout: Buffer.concat(stdout), stderr: text, timedOut };
  } finally {
    timers.forEach(clearTimeout);
  }
}

/** What to tell when git can't be started. */
function cannotStart(error: Error): SourceError {
  return new SourceError({
    what: "git can't be started",
    where: "this machine",
    why: error.message,
    fix: "install git 2.31 or newer (apt-get install git, dnf install git, xcode-select --install)",
  });
}

/** The last line in which git says what went wrong. */
export function gitComplaint(result: GitResult): string {
  if (result.timedOut) return "git gave no answer in time";
  const lines = result.stderr.split("\n").map((line) => line.trim());
  const told = lines.filter((line) => /^(?:fatal|error|remote|ssh|ERROR):/i.test(line));
  return told.at(-1) ?? lines.findLast((line) => line !== "") ?? `git ended with status ${result.code}`;
}

/** A remote as git is to be called with: what is secret goes by the environment, never by argv. */
export interface Remote {
  /** Without credentials. */
  url: string;
  env: NodeJS.ProcessEnv;
  /** Names the remote among the caches. */
  key: string;
}

/**
 * Takes the credentials out of an http(s) URL and hands them to git through a credential helper that reads them from
 * its environment (gitcredentials(7)); argv can be read by every user of the machine. The user's own helpers are left
 * out for that host, so that none of them stores what it is given.
 */
export function remoteOf(url: string): Remote {
  const env: NodeJS.ProcessEnv = {};
  let plain = url;
  if (/^https?:/i.test(url)) {
    const parsed = new URL(url);
    const { username, password } = parsed;
    parsed.username = parsed.password = "";
    plain = parsed.href;
    if (username !== "" || password !== "") {
      const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$HOMEPORT_GIT_USER" "$HOMEPORT_GIT_PASSWORD"; }; f`;
      const key = `credential.${parsed.origin}.helper`;
      const settings: [string, string][] = [
        [key, ""],
        [key, helper],
      ];
      Object.assign(env, gitConfigVariables(settings));
      env["HOMEPORT_GIT_USER"] = decodeURIComponent(username).replace(/\n/g, "");
      env["HOMEPORT_GIT_PASSWORD"] = decodeURIComponent(password).replace(/\n/g, "");
    }
  }
  return { url: plain, env, key: createHash("sha256").update(plain).digest("hex").slice(0, 32) };
}

/** Settings for git by its environment (GIT_CONFIG_COUNT in git(1)), after those the user already gave that way. */
function gitConfigVariables(settings: readonly (readonly [key: string, value: string])[]): NodeJS.ProcessEnv {
  const before = Number(process.env["GIT_CONFIG_COUNT"] ?? 0) || 0;
  const env: NodeJS.ProcessEnv = { GIT_CONFIG_COUNT: String(before + settings.length) };
  settings.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${before + index}`] = key;
    env[`GIT_CONFIG_VALUE_${before + index}`] = value;
  });
  return env;
}

let sshCommand: Promise<NodeJS.ProcessEnv> | undefined;

/** Keeps ssh from asking on the terminal, unless the user has chosen an ssh command; looked up once a process. */
export function quietSsh(): Promise<NodeJS.ProcessEnv> {
  sshCommand ??= (async () => {
    if (process.env["GIT_SSH_COMMAND"] ?? process.env["GIT_SSH"]) return {};
    const own = await runGit(["config", "--get", "core.sshCommand"]);
    if (own.stdout.length > 0) return {};
    return { GIT_SSH_COMMAND: "ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=15" };
  })();
  return sshCommand;
}
