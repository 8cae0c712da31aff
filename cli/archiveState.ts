import type { KnownArchive } from "../targets/operations";
import type { ExportedResource, ExportedStack } from "./recoverState";

/**
 * What a stack's state, its secrets in plain text, tells of an app's archive: where the component's own resources are.
 * @returns undefined where none was made
 */
export function archiveInState({ deployment }: ExportedStack, app: string, name: string): KnownArchive | undefined {
  const resources = (deployment?.resources ?? []).filter((one) => one.delete !== true);
  const component = resources.find(
    ({ urn, type }) => type === "homeport:index:ArchiveBucket" && urn.endsWith(`::${app}-${name}`),
  );
  if (component === undefined) return undefined;
  const bucket = text(plain(component.outputs?.["bucket"]));
  if (bucket === undefined) return undefined;
  const told = resources.filter(({ parent }) => parent === component.urn).map(tells);
  const found = (field: string): string | undefined => {
    for (const one of told) {
      const value = text(one[field]);
      if (one["bucket"] === bucket && value !== undefined) return value;
    }
    return undefined;
  };
  const [region, endpoint] = [found("region"), found("endpoint")];
  const [accessKeyId, secretAccessKey] = [found("accessKeyId"), found("secretAccessKey")];
  return {
    ...{ name, bucket },
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined ? {} : { key: { accessKeyId, secretAccessKey } }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** What a resource tells of its bucket: a driver's result, or the provider's own fields. */
function tells({ type, outputs = {} }: ExportedResource): Fields {
  if (type === "aws:s3/bucket:Bucket") return { bucket: plain(outputs["bucket"]), region: plain(outputs["region"]) };
  const stdout = plain(outputs["stdout"]);
  if (typeof stdout !== "string") return {};
  try {
    const result: unknown = JSON.parse(stdout);
    return typeof result === "object" && result !== null ? (result as Fields) : {};
  } catch {
    return {};
  }
}

/** A value of the state; a secret one is an object whose `plaintext` is its JSON (sdk/go/common/resource/stack). */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("plaintext" in value)) return value;
  return typeof value.plaintext === "string" ? (JSON.parse(value.plaintext) as unknown) : undefined;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
