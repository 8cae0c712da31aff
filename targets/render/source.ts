import type { Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import type { RenderCode } from "./plan";
import type { RenderSettings } from "./settings";

/** A service's code as Render takes it, or why it can't. */
export type FoundCode = RenderCode | { readonly kind: "unfit"; readonly why: string };

/** `git@github.com:owner/name.git` is read by people's keys; Render reads it by its own link to the forge. */
const asHttps = (url: string): string =>
  url.replace(/^(?:ssh:\/\/)?git@([^:/]+)[:/]/, "https://$1/").replace(/\.git$/, "");

const forge = /^https:\/\/(?:[\w-]+@)?(?:github\.com|gitlab\.com|bitbucket\.org)\/[^/]+\/.+/;

/** Where Render takes a service's code from. */
export function codeOf(app: ResolvedApp, settings: Pick<RenderSettings, "repositories">, service: Service): FoundCode {
  if (service.image !== undefined) return { kind: "image", image: service.image };
  const code = app.code[service.name];
  const told = settings.repositories[app.declaration.name];
  if (code?.source.kind !== "git" || code.fingerprint.commit === undefined)
    return { kind: "unfit", why: "Render builds a commit of a repository, and this is a folder or an archive." };
  const { url, ref, directory } = code.source;
  const repo = told ?? asHttps(url);
  if (told === undefined && !forge.test(repo))
    return { kind: "unfit", why: "Render reads repositories of GitHub, GitLab and Bitbucket." };
  if (ref !== undefined && /^[0-9a-f]{40}$/.test(ref))
    return { kind: "unfit", why: "Render follows a branch, and this is a commit." };
  const branch = ref?.replace(/^refs\/heads\//, "");
  return {
    kind: "repository",
    repo,
    ...(branch === undefined ? {} : { branch }),
    rootDir: directory ?? "",
    dockerfilePath: `./${service.dockerfile ?? "Dockerfile"}`,
    commit: code.fingerprint.commit,
  };
}
