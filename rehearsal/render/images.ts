/** An image's reference in full, as Render shows it: `nginx` is `docker.io/library/nginx:latest`. */
export function fullReference(reference: string): string {
  const [named = "", digest] = reference.split("@");
  const [, path = named, tag] = /^(.+?)(?::([\w.-]+))?$/.exec(named) ?? [];
  const [first = ""] = path.split("/");
  const isRegistry = path.includes("/") && (/[.:]/.test(first) || first === "localhost");
  const full = isRegistry ? path : path.includes("/") ? `docker.io/${path}` : `docker.io/library/${path}`;
  return digest === undefined ? `${full}:${tag ?? "latest"}` : `${full}@${digest}`;
}

/** A reference without its tag and digest: what a deploy of another version must share with the service's own. */
export const repositoryOf = (reference: string): string => fullReference(reference).replace(/(?:@.+|:[\w.-]+)$/, "");
