import { posix } from "node:path";
import { SourceError } from "./error";

/** As the Linux kernel's limit (path_resolution(7)); a longer chain can't be followed, so it can't lead out either. */
const MAX_FOLLOWED = 40;

/**
 * Whether following a link would leave the tree. Every link on the way is followed, as the kernel would: the target
 * `d/e/../x` leads elsewhere when `e` is a link itself.
 * @param links target by path, of every link in the tree
 */
export function leadsOut(links: ReadonlyMap<string, string>, path: string): boolean {
  const place = path.split("/").slice(0, -1);
  let ahead = (links.get(path) ?? "").split("/");
  if (links.get(path)?.startsWith("/")) return true;
  let followed = 1;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (place.pop() === undefined) return true;
      continue;
    }
    place.push(part);
    const target = links.get(place.join("/"));
    if (target === undefined) continue;
    if (target.startsWith("/")) return true;
    if (++followed > MAX_FOLLOWED) return false;
    place.pop();
    ahead = [...target.split("/"), ...ahead];
  }
  return false;
}

/**
 * Refuses a tree with a link that leads out of it: on the host it would show files that are no part of the release.
 * @throws SourceError that names the first such link
 */
export function checkLinks(links: ReadonlyMap<string, string>, where: string): void {
  for (const [path, target] of links) {
    if (target === "" || target.includes("\uFFFD")) {
      throw new SourceError({
        what: `The link "${path}" has no usable target`,
        where,
        why: "it is empty, or isn't UTF-8",
        fix: `make the link anew: ln -sfn <path inside> ${posix.basename(path)}`,
      });
    }
    if (leadsOut(links, path)) {
      throw new SourceError({
        what: `The link "${path}" points out of the release`,
        where,
        why: `its target is "${target}", and a release holds only the files under its own root`,
        fix: `make the link point inside (ln -sfn <path inside> ${posix.basename(path)}), or choose a \`directory\` that holds both`,
      });
    }
  }
}
