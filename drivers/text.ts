import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Set by drivers/build.ts when a bundle is made: the project's shell files by path, `targets/systemd/host/lock.sh`. */
declare const HOMEPORT_TEXTS: Readonly<Record<string, string>> | undefined;

/** Folders whose files travel inside of a bundle as text. */
export const textFolders = ["targets/systemd/host", "targets/systemd/host/tools"];

const project = join(__dirname, "..");

/** All files of `textFolders` by path, relative to the project and with `/`; read from the project's folder. */
export function readTexts(root: string): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const folder of textFolders) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith(".")) continue;
      texts[`${folder}/${entry.name}`] = readFileSync(join(root, folder, entry.name), "utf8");
    }
  }
  return texts;
}

const texts = (): Readonly<Record<string, string>> =>
  typeof HOMEPORT_TEXTS === "undefined" ? readTexts(project) : HOMEPORT_TEXTS;

/** A file of the project that isn't TypeScript: `projectText("targets/systemd/host/lock.sh")`. */
export function projectText(path: string): string {
  const text = texts()[path];
  if (text === undefined) throw new Error(`${path} isn't one of the project's text files (drivers/text.ts).`);
  return text;
}

/** Names and contents of the files directly in one of `textFolders`. */
export function projectTexts(folder: string): Readonly<Record<string, string>> {
  const start = `${folder}/`;
  return Object.fromEntries(
    Object.entries(texts())
      .filter(([path]) => path.startsWith(start) && !path.slice(start.length).includes("/"))
      .map(([path, text]) => [path.slice(start.length), text]),
  );
}
