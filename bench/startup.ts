import { resolve } from "node:path";
import { must } from "../rehearsal/host/run";
import { digits, times, type Finding } from "./support/report";
import { interleave, sampleOf, secondsOf } from "./support/stats";

const checkout = resolve(__dirname, "..");

interface Loaded {
  readonly packages: readonly string[];
  readonly own: number;
  readonly others: number;
}

const node = (script: string, ...args: string[]): Promise<string> =>
  must([process.execPath, "-e", script, "--", ...args], { cwd: checkout });

/** As tsconfig.json has it; or with types checked, which the transpiler of its own that it names can't do. */
const tsNode = (checked: boolean, file: string): string => {
  const options = checked ? `{ skipProject: true, compilerOptions: require("./tsconfig.json").compilerOptions }` : "";
  return `require("ts-node").register(${options}); require("@pulumi/pulumi"); ${file}`;
};

const program = `require("./bench/support/startProgram.ts")`;

/** How long a start of the program takes before it asks the engine for anything, and what it loads by then. */
export async function startup(): Promise<Finding> {
  const seconds = await interleave(5, {
    "node alone": () => secondsOf(() => node("0")),
    "+ @pulumi/pulumi": () => secondsOf(() => node(`require("@pulumi/pulumi")`)),
    "+ ts-node, no program": () => secondsOf(() => node(tsNode(false, ""))),
    "the program": () => secondsOf(() => node(tsNode(false, program))),
    "the program, types checked": () => secondsOf(() => node(tsNode(true, program))),
  });
  const samples = Object.entries(seconds).map(([name, values]) => [name, sampleOf(values)] as const);
  const sample = (name: string) => sampleOf(seconds[name] ?? []);
  const told = JSON.parse(await node(tsNode(false, program), "open")) as { started: Loaded; opened: Loaded };
  const names = ({ packages }: Loaded): string => packages.join(", ") || "none";
  return {
    title: "Start-up, without the engine",
    tables: [
      { head: ["", "seconds"], rows: samples },
      {
        head: ["", "files of ours", "files of packages", "heavy packages"],
        rows: [
          ["program loaded", told.started.own, told.started.others, names(told.started)],
          ["one app opened on a host", told.opened.own, told.opened.others, names(told.opened)],
        ],
      },
    ],
    notes: [
      `the program starts in ${digits(times(sample("the program"), sample("+ ts-node, no program")))} times an empty one's time; ` +
        `checking its types would make that ${digits(times(sample("the program, types checked"), sample("+ ts-node, no program")))} times`,
    ],
  };
}
