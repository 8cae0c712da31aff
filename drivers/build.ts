import { build, type BuildOptions, type Plugin } from "esbuild";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { readTexts } from "./text";

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  metafile: true,
  write: false,
  legalComments: "none",
  logLevel: "silent",
} satisfies BuildOptions;

/** One file of a bundle. */
interface Built {
  readonly name: string;
  readonly text: string;
}

/**
 * Bundles drivers/main.ts, and each platform that targets/drivers.ts imports into a file of its own.
 * @returns the files, and all sources of the project that they were made of, relative to it
 */
export async function buildDriver(project: string): Promise<{ files: readonly Built[]; inputs: readonly string[] }> {
  const platforms = new Map<string, string>();
  const define = { HOMEPORT_TEXTS: JSON.stringify(readTexts(project)) };
  const main = await build({
    ...common,
    stdin: {
      contents: `require("./main").start()`,
      resolveDir: join(project, "drivers"),
      sourcefile: "start.ts",
    },
    absWorkingDir: project,
    plugins: [separate(project, platforms)],
  });
  const files = [{ name: "main.cjs", text: main.outputFiles[0]?.text ?? "" }];
  const inputs = new Set(Object.keys(main.metafile.inputs));
  for (const [path, name] of platforms) {
    const built = await build({ ...common, define, entryPoints: [path], absWorkingDir: project });
    files.push({ name, text: built.outputFiles[0]?.text ?? "" });
    for (const input of Object.keys(built.metafile.inputs)) inputs.add(input);
  }
  inputs.delete("drivers/start.ts");
  return { files, inputs: [...inputs].sort() };
}

/** Leaves the imports of targets/drivers.ts out of the bundle, and notes them to be bundled by themselves. */
function separate(project: string, platforms: Map<string, string>): Plugin {
  const registry = join(project, "targets", "drivers.ts");
  return {
    name: "platforms",
    setup(builder) {
      builder.onResolve({ filter: /^\./ }, ({ kind, importer, path }) => {
        if (kind !== "dynamic-import" || resolve(importer) !== registry) return undefined;
        const source = resolve(dirname(importer), path);
        const name = `${relative(project, source).replace(/[^\w]+/g, "-")}.cjs`;
        platforms.set(source, name);
        return { path: `./${name}`, external: true };
      });
    },
  };
}

/** Writes a file so that readers see all of it or the one before. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** Whether an input is one that people edit; what comes from node_modules follows from the lock file. */
export const isOwn = (input: string): boolean =>
  !isAbsolute(input) && !input.startsWith("<") && !input.startsWith("..") && !input.includes("node_modules/");
