import { checkSource } from "./check";
import { SourceError } from "./error";
import { folder, git, tarball, type Source } from "./types";

const FORMS =
  "../folder, ../folder#:sub/dir, ./app.tar.gz, https://host/x.tar.gz#sha256=<hex>:dir, https://github.com/o/r#v1.2:sub/dir, git@github.com:o/r.git#main";

/** `user@host:path` or `host:path.git`, which git takes as ssh; a path starts with `.`, `/` or `~`. */
const SCP_FORM = /^(?:[\w.-]+@[\w.-]+:|[\w.-]{2,}:.*\.git$)(?!\/\/)/;

const TAR_NAME = /\.(?:tar\.gz|tgz|tar)$/i;
const OTHER_ARCHIVE = /\.(?:zip|tar\.(?:xz|bz2|zst|lz|Z)|txz|tbz2?|7z|rar|gem|whl)$/i;

/** GitHub's other way to name an archive: codeload.github.com/<owner>/<name>/tar.gz/<ref>. */
const CODELOAD = /^\/[^/]+\/[^/]+\/(?:legacy\.)?tar\.gz\//;

/** `https://github.com/o/r/tree/main/dir`: a page for people, not a repository. */
const FORGE_PAGE = /^(\/.+?)\/(?:-\/)?(?:tree|blob|commit|src\/branch)\/([^/]+)(?:\/(.*?))?\/?$/;

/**
 * Reads a source from one line of configuration. What follows `#` is `ref:directory` for git, `sha256=<hex>:directory`
 * for an archive and `:directory` for a folder, each part optional.
 *
 * | text | source |
 * |---|---|
 * | `../cat-scan`, `cat-scan`, `~/x#:sub` | folder |
 * | `./app.tar.gz`, `https://host/x.tgz` | tarball (.tar.gz, .tgz, .tar) |
 * | `https://host/o/r`, `ssh://…`, `file://…`, `git@host:o/r.git` | git |
 * | `git+https://…`, `git+file:///…/x.tar.gz` | git, whatever the name looks like |
 *
 * @throws SourceError when the text has none of these forms
 */
export function parseSource(text: string): Source {
  const source = read(text.trim());
  checkSource(source);
  return source;
}

function read(text: string): Source {
  const hash = splitAt(text, fragmentStart(text));
  const place = hash.before;
  const fragment = hash.after ?? "";
  const colon = splitAt(fragment, fragment.indexOf(":"));
  const name = colon.before;
  const directory = colon.after ? { directory: colon.after } : {};
  const asGit = (url: string): Source => git(url, { ...(name === "" ? {} : { ref: name }), ...directory });

  const forced = /^git\+((?:https?|ssh|file):.*)$/i.exec(place)?.[1];
  if (forced !== undefined) return asGit(forced);
  if (SCP_FORM.test(place)) return asGit(place);
  const url = place.includes("://");
  const path = url ? (URL.canParse(place) ? new URL(place).pathname : "") : place;
  if (OTHER_ARCHIVE.test(path)) {
    refuse(text, "only .tar.gz, .tgz and .tar archives are read", "repack it: tar -czf app.tar.gz -C <folder> .");
  }
  if (TAR_NAME.test(path) || (/^https?:/i.test(place) && CODELOAD.test(path))) {
    const sha256 = /^sha256=(.*)$/.exec(name)?.[1];
    if (name !== "" && sha256 === undefined) {
      refuse(text, `an archive has no ref "${name}"`, "write #sha256=<hex>:<directory>, or git+<url> for a repository");
    }
    const location = /^file:\/\/\//i.test(place) ? decodeURIComponent(path) : place;
    return tarball(location, { ...directory, ...(sha256 === undefined ? {} : { sha256 }) });
  }
  if (url) {
    refusePage(text, place);
    return asGit(place);
  }
  if (name !== "") {
    refuse(text, `a folder has no ref "${name}"`, `write git+file://<absolute path>#${name} for a commit of it`);
  }
  return folder(place, directory);
}

/** Where the fragment starts: at the first `#` after the host of a URL, at the last one of a path. */
function fragmentStart(text: string): number {
  return text.includes("://") || SCP_FORM.test(text) ? text.indexOf("#") : text.lastIndexOf("#");
}

function splitAt(text: string, at: number): { before: string; after?: string } {
  return at < 0 ? { before: text } : { before: text.slice(0, at), after: text.slice(at + 1) };
}

function refusePage(text: string, url: string): void {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return;
  const { origin, pathname } = new URL(url);
  const page = FORGE_PAGE.exec(pathname);
  if (page?.[1] === undefined || page[2] === undefined) return;
  const suffix = page[3] ? `:${page[3]}` : "";
  refuse(text, "this is the address of a page, not of a repository", `write ${origin}${page[1]}#${page[2]}${suffix}`);
}

function refuse(text: string, why: string, fix: string): never {
  throw new SourceError({
    what: "This isn't a source of releases",
    where: `"${text}"`,
    why: `${why}; forms: ${FORMS}`,
    fix,
  });
}
