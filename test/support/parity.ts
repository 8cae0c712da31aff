import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import type { App } from "../../components";
import type { Problem } from "../../components/problems";
import { resolveStack } from "../../components/resolveStack";
import type { ConfigEntry, StackConfig } from "../../components/settings";
import type { Target } from "../../targets/target";
import { workingConfig } from "./config";

type Entries = Record<string, ConfigEntry | string | undefined>;

const project = resolve(__dirname, "../..");
const secret = (value: string): ConfigEntry => ({ value, secret: true });

/** What a stack has to say of a target before anything lives there. */
interface Minimum {
  readonly entries: Entries;
  /** And of each app there. */
  readonly ofApp?: (app: string) => Entries;
  /** Where a target builds: from a repository, or from what this machine sends it. */
  readonly builds: "a repository" | "a folder";
}

/** By target. One that isn't here can't be held against the others. */
export const minima: Readonly<Record<string, Minimum>> = {
  vps: { entries: {}, builds: "a folder" },
  ec2: {
    entries: {
      "aws:region": "eu-central-1",
      "ec2:instances": JSON.stringify({ main: { type: "t3.large", sshFrom: ["203.0.113.7/32"] } }),
      "s3:endpoint": undefined,
    },
    builds: "a folder",
  },
  fly: {
    // An engine that only the provider can ask: none has to be there.
    entries: {
      "fly:apiToken": secret("FlyV1 fm2_marker"),
      "fly:region": "fra",
      "docker:host": "ssh://builder.example.com",
    },
    builds: "a folder",
  },
  railway: {
    entries: { "railway:apiToken": secret("00000000-0000-0000-0000-00000000beef") },
    ofApp: (app) => ({
      "railway:repositories": JSON.stringify({ [app]: `acme/${app}` }),
      "railway:ownBackups": JSON.stringify([app]),
    }),
    builds: "a repository",
  },
  render: {
    entries: { "render:apiKey": secret("rnd_markermarkermarker") },
    ofApp: (app) => ({
      "render:repositories": JSON.stringify({ [app]: `https://github.com/acme/${app}` }),
      "render:ownBackups": JSON.stringify([app]),
      [`${app}:allowFrom`]: '["203.0.113.0/24"]',
    }),
    builds: "a repository",
  },
};

/** The stack's configuration with one app on one target. @param folder where repositories are made */
export function configOn(target: string, app: string, folder: string, more: Entries = {}): StackConfig {
  const minimum = minima[target];
  if (minimum === undefined) throw new Error(`test/support/parity.ts doesn't know what ${target} needs in a stack.`);
  const { entries, ofApp, builds } = minimum;
  return workingConfig({
    ...entries,
    "homeport:apps": JSON.stringify([app]),
    [`${app}:target`]: target,
    "hotrod:ports": undefined,
    "clausea:ports": undefined,
    ...(target === "vps" ? {} : { "vps:hosts": undefined }),
    ...ofApp?.(app),
    ...(builds === "a folder" ? {} : { [`${app}:source`]: repositoryOf(app, folder) }),
    ...more,
  });
}

const repositories = new Map<string, string>();

/** A repository with the stand-in's code, made once a folder. */
function repositoryOf(app: string, folder: string): string {
  const path = join(folder, app);
  const known = repositories.get(path);
  if (known !== undefined) return known;
  cpSync(join(project, "rehearsal/standins", app), path, { recursive: true });
  const author = ["-c", "user.name=Homeport", "-c", "user.email=homeport@example.com", "-c", "commit.gpgsign=false"];
  const git = (...args: string[]): void => void execFileSync("git", [...author, ...args], { cwd: path, stdio: "pipe" });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "The app");
  const source = `git+file://${path}#main`;
  repositories.set(path, source);
  return source;
}

/** What keeps an app from a target, as it is declared; nothing where it can live there. */
export interface Cell {
  readonly app: string;
  readonly target: string;
  readonly problems: readonly Problem[];
  /** The setting with which it can live there after all. */
  readonly unless?: string;
}

/** Holds every app against every target, by the checks that a preview makes. */
export async function parityOf(apps: readonly App[], targets: readonly Target[], folder: string): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const one of apps) {
    const app = one.name;
    const services = one.declare("dev").services.filter(({ instances }) => instances !== undefined);
    const single = JSON.stringify(Object.fromEntries(services.map(({ name }) => [name, 1])));
    for (const { name: target } of targets) {
      const problemsWith = async (more: Entries): Promise<readonly Problem[]> => {
        const config = configOn(target, app, folder, more);
        return (await resolveStack({ apps, targets, config, cwd: project })).problems;
      };
      const problems = await problemsWith({});
      const fits = problems.length > 0 && (await problemsWith({ [`${app}:instances`]: single })).length === 0;
      cells.push({ app, target, problems, ...(fits ? { unless: `${app}:instances ${single}` } : {}) });
    }
  }
  return cells;
}

/** The table that README shows; what is refused is told below it, a line for each app and target. */
export function tableOf(cells: readonly Cell[]): string {
  const unique = (names: readonly string[]): string[] => [...new Set(names)];
  const columns = unique(cells.map(({ target }) => target));
  const notes = cells.filter(({ problems }) => problems.length > 0);
  const rows = unique(cells.map(({ app }) => app)).map((app) => [
    app,
    ...columns.map((target) => {
      const number = notes.findIndex((cell) => cell.app === app && cell.target === target) + 1;
      if (number === 0) return "yes";
      return `${notes[number - 1]?.unless === undefined ? "no" : "yes"} (${number})`;
    }),
  ]);
  const head = ["app", ...columns];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(" | ")} |`;
  const table = [head, widths.map((width) => "-".repeat(width)), ...rows].map(line);
  return [...table, ...(notes.length === 0 ? [] : ["", ...notes.map((cell, n) => `${n + 1}. ${noteOf(cell)}`)])].join(
    "\n",
  );
}

/** The fields that share a reason are told together. */
function noteOf({ app, target, problems, unless }: Cell): string {
  const fields = new Map<string, string[]>();
  for (const { where, what, why = what } of problems) {
    fields.set(why, [...(fields.get(why) ?? []), `\`${where.replace(`${app}.`, "")}\``]);
  }
  const reasons = [...fields].map(([why, names]) => `${names.join(", ")}: ${why}`);
  const so = unless === undefined ? "" : ` It fits with \`${unless}\`.`;
  return `${app} on ${target}. ${reasons.join(" ")}${so}`;
}
