import { spawn } from "node:child_process";
import { refused, reportOf, type Ended, type Report } from "./report";
import { given } from "./runner";

/** What every call has: no question, no colour. */
const always = ["--non-interactive", "--color", "never"] as const;

/**
 * Runs `pulumi`, the one on PATH. A runner that cancels the job signals this process alone, so its signals are passed on: the
 * engine then ends what it has begun and writes its state.
 */
export function pulumi(args: readonly string[], onText?: (text: string) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn("pulumi", [...args, ...always], { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        output[stream] += text;
        onText?.(text);
      });
    }
    const pass = (): void => void child.kill("SIGINT");
    const signals = ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) process.on(signal, pass);
    const end = (code: number): void => {
      for (const signal of signals) process.off(signal, pass);
      resolve({ code, ...output });
    };
    child.once("error", (error) => {
      output.stderr += `pulumi can't be started: ${error.message}`;
      end(127);
    });
    child.once("close", (code) => {
      end(code ?? 128);
    });
  });
}

/** Without what isn't set: an empty passphrase would be taken for the right one. */
function environment(): NodeJS.ProcessEnv {
  const set = Object.entries(process.env).filter(([name, value]) => !/^(PULUMI|AWS)_/.test(name) || value !== "");
  return { ...Object.fromEntries(set), PULUMI_SKIP_UPDATE_CHECK: "true" };
}

/** What a deploy of the stack would do. Touches nothing. */
export async function preview(stack: string): Promise<Report> {
  if (given("PULUMI_BACKEND_URL") === undefined && given("PULUMI_ACCESS_TOKEN") === undefined) {
    return refused(stack, noBackend);
  }
  return reportOf(stack, await pulumi(["preview", "--json", "--stack", stack]));
}

const noBackend = `The run has no backend to read the stack's state from.
   why: Either the repository isn't set up, or GitHub withheld its settings from this run, as it does from Dependabot's.
   fix: gh variable set PULUMI_BACKEND_URL --body s3://BUCKET (or: gh secret set PULUMI_ACCESS_TOKEN) and
        gh secret set PULUMI_CONFIG_PASSPHRASE; for Dependabot, the secrets once more with --app dependabot`;
