import { SourceError } from "./error";

/**
 * Refuses names that would land outside of a release, or that a host could not hold beside each other. Git and tar
 * both can carry them; only a hostile or broken source does.
 * @param leaves paths of files and links
 * @param folders paths of folders that are members themselves
 * @throws SourceError that names the first bad one
 */
export function checkMembers(leaves: readonly string[], where: string, folders: readonly string[] = []): void {
  const known = new Set<string>();
  for (const path of leaves) {
    if (known.has(path)) throw unsafe(path, "it is there twice", where);
    known.add(path);
  }
  for (const path of [...leaves, ...folders]) {
    const why = badName(path);
    if (why !== undefined) throw unsafe(path, why, where);
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      if (known.has(path.slice(0, at))) throw unsafe(path, `"${path.slice(0, at)}" is no folder`, where);
    }
  }
}

function badName(path: string): string | undefined {
  if (path.startsWith("/")) return "it is absolute";
  const part = path.split("/").find((each) => each === "" || each === "." || each === "..");
  if (part !== undefined) return part === ".." ? "it leads out of its folder" : "it has an empty part";
  return path.includes("\0") ? "it contains a NUL" : path.includes("\uFFFD") ? "it isn't UTF-8" : undefined;
}

function unsafe(path: string, why: string, where: string): SourceError {
  return new SourceError({
    what: `The source has a member that can't be released: "${path}"`,
    where,
    why,
    fix: "remove or rename it in the source; check first that you trust where the source comes from",
  });
}
