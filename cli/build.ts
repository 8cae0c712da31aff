import { build, type Plugin } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * Makes one file of the command, since transpiling its hundred modules takes seconds: bin/homeport calls this where a source
 * has changed since the last time.
 */

/** What bin/homeport reads: the file, and the sources that it was made of, with their times in milliseconds and sizes. */
export interface CliStamp {
  readonly bundle: string;
  readonly files: Readonly<Record<string, readonly [mtimeMs: number, size: number]>>;
}

const dayMs = 86_400_000;

/** @returns the path of the bundle */
export async function buildCli(project: string): Promise<string> {
  const folder = join(project, ".homeport", "cli");
  mkdirSync(folder, { recursive: true });
  const result = await build({
    stdin: { contents: 'require("./main").start()', resolveDir: join(project, "cli"), sourcefile: "start.ts" },
    absWorkingDir: project,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minifySyntax: true,
    metafile: true,
    write: false,
    legalComments: "none",
    logLevel: "silent",
    // What only deploys need stays outside, and is never asked for.
    external: ["@pulumi/*", "@aws-sdk/*", "esbuild", "ts-node", "typescript"],
    plugins: [ownFolders(project)],
  });
  const text = result.outputFiles[0]?.text ?? "";
  const bundle = `${createHash("sha256").update(text).digest("hex").slice(0, 16)}.cjs`;
  writeWhole(join(folder, bundle), text);
  const inputs = Object.keys(result.metafile.inputs).filter((input) => input !== "cli/start.ts");
  const stamp: CliStamp = {
    bundle,
    files: Object.fromEntries([...inputs, "package-lock.json"].map((input) => [input, timeAndSize(project, input)])),
  };
  writeWhole(join(folder, "stamp.json"), JSON.stringify(stamp));
  for (const name of readdirSync(folder)) {
    const old = name.endsWith(".cjs") && name !== bundle;
    if (old && Date.now() - statSync(join(folder, name)).mtimeMs > dayMs) rmSync(join(folder, name), { force: true });
  }
  return join(folder, bundle);
}

function timeAndSize(project: string, path: string): readonly [number, number] {
  const { mtimeMs, size } = statSync(join(project, path));
  return [mtimeMs, size];
}

/** Modules find the project's files from where they lie themselves, which a bundle would change. */
function ownFolders(project: string): Plugin {
  return {
    name: "folders",
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (relative(project, path).includes("node_modules")) return undefined;
        const text = readFileSync(path, "utf8");
        if (!text.includes("__dirname")) return undefined;
        return { contents: `const __dirname = ${JSON.stringify(dirname(path))};\n${text}`, loader: "ts" };
      });
    },
  };
}

function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

if (require.main === module) {
  buildCli(process.argv[2] ?? join(__dirname, "..")).then(
    () => undefined,
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
