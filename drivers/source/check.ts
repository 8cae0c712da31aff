import { SourceError } from "./error";
import type { Source } from "./types";

/** A full object name: SHA-1 or SHA-256 (gitglossary(7), "object name"). */
const FULL_HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/** What git-check-ref-format(1) forbids in a name. */
// eslint-disable-next-line no-control-regex -- control characters are among what is forbidden
const BAD_REF = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\.lock(?:$|\/)|\/\.|^@$/;

// eslint-disable-next-line no-control-regex -- control characters are what this finds
const CONTROL = /[\u0000-\u001f\u007f]/;

const GIT_SCHEMES = ["https:", "ssh:", "git+ssh:", "ssh+git:", "file:", "http:", "git:"];

/** Whether a git ref is a full commit hash, which needs no look-up. */
export function isFullHash(ref: string): boolean {
  return FULL_HASH.test(ref);
}

/** `a/./b/` as `a/b`, and the root as the empty text. Expects a directory that passed checkSource. */
export function normalDirectory(directory: string | undefined): string {
  return (directory ?? "")
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** The source in a few words, for the `where` of an error. */
export function whereOf(source: Source): string {
  const directory = normalDirectory(source.directory);
  const inside = directory === "" ? "" : `, directory "${directory}"`;
  if (source.kind === "folder") return `folder ${source.path}${inside}`;
  if (source.kind === "tarball") return `tarball ${source.location}${inside}`;
  return `git ${source.url}${source.ref === undefined ? "" : ` at "${source.ref}"`}${inside}`;
}

/**
 * Checks the form of a source; touches neither disk nor network. fingerprint and pack call it themselves.
 * @throws SourceError
 */
export function checkSource(source: Source): void {
  const fail = (what: string, why: string, fix: string): never => {
    throw new SourceError({ what, where: whereOf(source), why, fix });
  };
  const place = source.kind === "git" ? source.url : source.kind === "folder" ? source.path : source.location;
  const field = source.kind === "git" ? "url" : source.kind === "folder" ? "path" : "location";
  if (place === "" || CONTROL.test(place) || place.startsWith("-")) {
    fail(`The ${source.kind} source has no usable ${field}`, "it is empty, or starts with -", `set its ${field}`);
  }
  const directory = source.directory ?? "";
  if (directory.startsWith("/") || directory.split("/").includes("..") || CONTROL.test(directory)) {
    const why = "it must stay inside the source: a relative path without ..";
    fail(`The directory "${directory}" can't be used`, why, "name a folder below the source's root");
  }
  if (source.kind === "git") checkGit(source.url, source.ref, fail);
  if (source.kind === "tarball") checkTarball(source.location, source.sha256, fail);
}

type Fail = (what: string, why: string, fix: string) => never;

function checkGit(url: string, ref: string | undefined, fail: Fail): void {
  if (ref !== undefined && ref !== "HEAD" && (ref === "" || BAD_REF.test(ref))) {
    const why = "it breaks the rules of git-check-ref-format";
    fail(`"${ref}" can't be a git ref`, why, "give a branch, a tag, or a full commit hash");
  }
  if (!url.includes("://")) return;
  if (!URL.canParse(url)) {
    const why = "special characters of a user name or password must be percent-encoded";
    fail("The git URL can't be read", why, "write @ as %40, : as %3A, / as %2F, # as %23");
  }
  const { protocol, hostname } = new URL(url);
  if (!GIT_SCHEMES.includes(protocol)) {
    fail(`A git URL can't start with ${protocol}`, `known are ${GIT_SCHEMES.join(" ")}`, "use the https or ssh URL");
  }
  const open = (protocol === "http:" || protocol === "git:") && !isLoopback(hostname);
  if (open && !(ref !== undefined && isFullHash(ref))) {
    const why = `over ${protocol} anyone on the way can change what is deployed`;
    fail("The git URL isn't protected", why, "use https or ssh, or set ref to a full commit hash, which git verifies");
  }
}

function checkTarball(location: string, sha256: string | undefined, fail: Fail): void {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) {
    fail("The sha256 of the tarball has the wrong form", "it must be 64 hex digits", "take it from: sha256sum <file>");
  }
  if (!location.includes("://")) return;
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    fail("The tarball's URL can't be used", "it isn't a valid https URL", "give an https URL, or the path of a file");
  } else if (url.protocol === "http:" && !isLoopback(url.hostname) && sha256 === undefined) {
    const why = "over http: anyone on the way can change what is deployed";
    fail("The tarball's URL isn't protected", why, "use https, or set sha256");
  }
}

/** Whether a URL's host is this machine, so that nobody is on the way. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
