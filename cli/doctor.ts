import { resolveStack } from "../components/resolveStack";
import { ensureEngine } from "../engine";
import { findExecutable } from "../engine/find";
import type { Finding } from "../targets/operations";
import type { Context } from "./context";
import { explainError } from "./errors";
import { loadConfig } from "./stack";
import type { Paint } from "./table";

/** Findings about one thing: this machine, the stack, a place. */
export interface Examined {
  readonly what: string;
  readonly findings: readonly Finding[];
}

export async function doctor(context: Context, project: string): Promise<number> {
  const show = (examined: Examined): boolean => {
    context.out(doctorText(examined, context.paint));
    return examined.findings.some(({ level }) => level === "problem");
  };
  const machine = show({ what: "this machine", findings: await thisMachine() });
  const stack = show(await stackFindings(context, project));
  const places = (await placeFindings(context)).map(show);
  return machine || stack || places.includes(true) ? 1 : 0;
}

/** One line a finding, and below it what mends it. */
export function doctorText({ what, findings }: Examined, paint: Paint): string {
  const marks = { ok: paint("ok  ", "green"), warning: paint("look", "yellow"), problem: paint("MEND", "red") };
  const lines = findings.flatMap((finding) => [
    `  ${marks[finding.level]}  ${finding.what.split("\n").join("\n        ")}`,
    ...(finding.fix === undefined ? [] : [`        fix: ${finding.fix}`]),
  ]);
  return [`${what}:`, ...lines].join("\n");
}

const oldestNode = 20;

async function thisMachine(): Promise<Finding[]> {
  const found: Finding[] = [nodeFinding(process.versions.node)];
  try {
    const { pulumi, version, origin } = await ensureEngine();
    found.push({ level: "ok", what: `pulumi ${version} (${origin}): ${pulumi}` });
  } catch (error) {
    found.push({ level: "problem", what: explainError(error).text, fix: "https://www.pulumi.com/docs/install/" });
  }
  const folders = (process.env["PATH"] ?? "").split(":").filter((one) => one !== "");
  const missing = ["ssh", "ssh-agent", "ssh-add"].filter((name) => findExecutable(name, folders) === undefined);
  found.push(
    missing.length === 0
      ? { level: "ok", what: "the OpenSSH client" }
      : { level: "problem", what: `${missing.join(" and ")} isn't on PATH`, fix: "apt-get install openssh-client" },
  );
  return found;
}

export function nodeFinding(version: string): Finding {
  if (Number(version.split(".")[0]) >= oldestNode) return { level: "ok", what: `node ${version}` };
  return { level: "problem", what: `node ${version} is too old`, fix: `install Node.js ${oldestNode} or newer` };
}

/** Everything that `pulumi preview` would refuse, sources included. */
async function stackFindings(context: Context, project: string): Promise<Examined> {
  try {
    const config = await loadConfig(context.choice);
    const what = `the stack ${config.stack}`;
    const { apps, targets } = context;
    const { problems, apps: placed, environment } = await resolveStack({ apps, targets, config, cwd: project });
    const names = placed.map(({ declaration }) => declaration.name).join(", ");
    return {
      what,
      findings:
        problems.length === 0
          ? [{ level: "ok", what: `${environment}: ${names} can be deployed as configured` }]
          : problems.map((one) => ({ level: "problem", what: `${one.where}: ${one.what}`, fix: one.fix })),
    };
  } catch (error) {
    return { what: "the stack", findings: [{ level: "problem", what: explainError(error).text }] };
  }
}

/** Each place once, whatever the number of its apps. */
async function placeFindings(context: Context): Promise<Examined[]> {
  const stack = await context.stack().catch(() => undefined);
  if (stack === undefined) return [];
  const operations = await Promise.all(stack.apps.map((app) => context.operate(app).catch(() => undefined)));
  const places = new Map(operations.flatMap((one) => (one === undefined ? [] : [[one.place, one] as const])));
  return Promise.all([...places].map(async ([what, one]) => ({ what, findings: await one.examine() })));
}
