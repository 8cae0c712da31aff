import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildDriver, isOwn, writeWhole } from "./build";
import { entry, hashOf, lockFiles, namesIn, removeOld, stampPath, textFiles, type Stamp } from "./bundle";
import { textFolders } from "./text";

/** Builds the bundle of a project and puts it in place: files first, then the way in, then the stamp that says it is fresh. */
export async function rebuild(root: string): Promise<void> {
  const begun = Date.now();
  const { files, inputs } = await buildDriver(root);
  const bundle = hashOf(files.map(({ name, text }) => `${name}\n${text}`).join("\n")).slice(0, 16);
  for (const { name, text } of files) writeWhole(join(root, ".homeport/driver", bundle, name), text);
  writeWhole(join(root, entry), `require("./driver/${bundle}/main.cjs");\n`);
  const own = [
    ...inputs.filter(isOwn),
    ...textFiles(root),
    ...lockFiles.filter((path) => existsSync(join(root, path))),
  ];
  const stamp: Stamp = {
    bundle,
    folders: Object.fromEntries(textFolders.map((folder) => [folder, namesIn(root, folder)])),
    files: Object.fromEntries(own.map((path) => [path, stampOf(root, path, begun)])),
  };
  writeWhole(join(root, stampPath), JSON.stringify(stamp));
  removeOld(root, bundle);
}

/** A file that was written during the build is stamped so that it is never fresh: which content was built isn't known. */
function stampOf(root: string, path: string, begun: number): Stamp["files"][string] {
  const { mtimeMs, size } = statSync(join(root, path));
  return mtimeMs >= begun
    ? { mtimeMs: 0, size: -1, hash: "" }
    : { mtimeMs, size, hash: hashOf(readFileSync(join(root, path))) };
}

if (require.main === module) {
  rebuild(process.argv[2] ?? process.cwd()).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
