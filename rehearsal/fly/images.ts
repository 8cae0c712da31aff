/** A reference, taken apart as `image_ref` has it. */
export interface ImageParts {
  readonly registry: string;
  readonly repository: string;
  /** Default: latest, as Docker has it. */
  readonly tag: string;
  readonly digest: string | undefined;
}

/** Takes an image reference apart. */
export function imageParts(reference: string): ImageParts {
  const [named = "", digest] = reference.split("@");
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const isRegistry = /[.:]/.test(first) || first === "localhost";
  const registry = isRegistry ? first : "docker-hub-mirror.fly.io";
  const path = isRegistry ? named.slice(slash + 1) : slash < 0 ? `library/${named}` : named;
  const [, repository = path, tag = "latest"] = /^(.+?)(?::([\w.-]+))?$/.exec(path) ?? [];
  return { registry, repository, tag, digest };
}
