import { buildSync } from "esbuild";
import { join } from "node:path";

let made: string | undefined;

/** The scheduler's program in one file. The same code gives the same text, so that a machine isn't updated without need. */
export function schedulerScript(): string {
  made ??= buildSync({
    entryPoints: [join(__dirname, "main.ts")],
    absWorkingDir: join(__dirname, "..", "..", ".."),
    bundle: true,
    platform: "node",
    target: "node18",
    format: "cjs",
    minify: true,
    write: false,
    legalComments: "none",
    logLevel: "silent",
  }).outputFiles[0]?.text;
  if (made === undefined) throw new Error("esbuild made nothing of the scheduler.");
  return made;
}
