import { requireLease } from "./leases";
import type { Handler, Request } from "./operation";
import type { Machine } from "./state";
import { appOf, changed, machineOf, refuse } from "./world";

const target = ({ world, token, values }: Request): Machine =>
  machineOf(world, appOf(world, token, values["app_name"]!), values["machine_id"]!);

/** Metadata isn't part of what runs: changing it restarts nothing and makes no new version. */
function put(request: Request, metadata: Readonly<Record<string, string | null>>): void {
  const machine = target(request);
  requireLease(request.world, machine, request.nonce);
  const kept = Object.entries(metadata).filter(([, value]) => value !== null && value !== "");
  machine.config = { ...machine.config, metadata: Object.fromEntries(kept) as Record<string, string> };
  changed(request.world, machine);
}

function requireVersion(request: Request, version: string | undefined): void {
  if (version !== undefined && version !== target(request).instanceId)
    throw refuse(412, `failed_precondition: machine_version ${version} isn't the machine's latest`);
}

export const getMetadata: Handler = (request) => ({ status: 200, body: target(request).config.metadata ?? {} });

interface Whole {
  readonly metadata: Readonly<Record<string, string | null>>;
  readonly machine_version?: string;
}

export const putMetadata: Handler = (request) => {
  const { metadata, machine_version: version } = request.body as Whole;
  requireVersion(request, version);
  put(request, metadata);
  return { status: 204 };
};

export const patchMetadata: Handler = (request) => {
  const { metadata, machine_version: version } = request.body as Whole;
  requireVersion(request, version);
  put(request, { ...target(request).config.metadata, ...metadata });
  return { status: 204 };
};

export const getMetadataValue: Handler = (request) => {
  const key = request.values["key"]!;
  const value = target(request).config.metadata?.[key];
  if (value === undefined) throw refuse(404, `metadata key not found: ${key}`);
  return { status: 200, body: { value } };
};

export const setMetadataValue: Handler = (request) => {
  const { value } = request.body as { value: string };
  put(request, { ...target(request).config.metadata, [request.values["key"]!]: value });
  return { status: 204 };
};

export const deleteMetadataValue: Handler = (request) => {
  put(request, { ...target(request).config.metadata, [request.values["key"]!]: null });
  return { status: 204 };
};
