import type { App, Machine, MachineConfig, Region } from "./state";
import { refuse } from "./world";
import type { World } from "./world";

/** The region of a list such as `iad,dfw` that has room for a machine. */
export function takePlace(world: World, wanted: string | undefined, config: MachineConfig, app: string): string {
  const codes = wanted === undefined ? world.state.regions.map((region) => region.code) : wanted.split(",");
  const regions = codes.map((code) => {
    const region = world.state.regions.find((one) => one.code === code);
    if (region === undefined) throw refuse(400, `invalid_argument: region ${code} not found`);
    return region;
  });
  // One with a volume can go nowhere else; see `admit`, which says so in other words.
  if ((config.mounts ?? []).length > 0) return regions[0]!.code;
  const free = regions.find((region) => hasRoom(world, region, app));
  if (free === undefined)
    throw refuse(
      503,
      "could not reserve resource for machine: insufficient memory available to fulfill request",
      "insufficient_capacity",
    );
  return free.code;
}

const hasRoom = (world: World, region: Region, app: string): boolean =>
  region.capacity > 0 && !world.faults.happens("noCapacity", `${app}/${region.code}`);

/** Memory by cpu: https://fly.io/docs/machines/guides-examples/machine-sizing/ */
function checkGuest({ guest }: MachineConfig): void {
  const { cpu_kind: kind = "shared", cpus = 1, memory_mb: memory = 256 } = guest ?? {};
  const [least, most] = kind === "shared" ? [256, 2048] : [2048, 8192];
  const counts = kind === "shared" ? [1, 2, 4, 6, 8] : [1, 2, 4, 6, 8, 10, 12, 14, 16];
  if (!counts.includes(cpus)) throw refuse(400, `invalid_argument: invalid config.guest.cpus, ${cpus} for ${kind}`);
  if (memory % 256 !== 0 || memory < least * cpus || memory > most * cpus)
    throw refuse(
      400,
      `invalid_argument: invalid config.guest.memory_mb, ${memory} isn't a multiple of 256 between ${least * cpus} and ${most * cpus}`,
    );
}

function checkMounts(
  world: World,
  app: App,
  config: MachineConfig,
  region: string,
  machine: Machine | undefined,
): void {
  const { mounts = [] } = config;
  if (mounts.length > 1) throw refuse(400, "invalid config.mounts, only 1 volume supported");
  const [mount] = mounts;
  if (mount === undefined) return;
  const volume = world.state.volumes[mount.volume ?? ""];
  if (volume === undefined || volume.app !== app.name || volume.state !== "created")
    throw refuse(400, `invalid_argument: volume ${mount.volume ?? mount.name ?? ""} not found`);
  if (mount.path === undefined)
    throw refuse(400, "invalid_argument: invalid config.mounts[0].path, a path is required");
  if (volume.region !== region)
    throw refuse(400, `invalid_argument: Mounts source volume ${volume.id} is in the wrong region, ${volume.region}`);
  if (machine !== undefined && machine.config.mounts?.[0]?.volume !== volume.id)
    throw refuse(400, "invalid_argument: a machine's volume can't be changed, create a new machine");
  if (volume.machine !== undefined && volume.machine !== machine?.id)
    throw refuse(412, `failed_precondition: volume ${volume.id} is attached to machine ${volume.machine}`);
  if ((config.guest?.memory_mb ?? 256) > (volume.roomMb ?? standardRoomMb))
    throw refuse(
      412,
      `insufficient resources to create new machine with existing volume '${volume.id}'`,
      "volume_placement_capacity",
    );
}

/** The memory that a volume's host has for its machine when the volume was made without saying what it needs, in MB. */
const standardRoomMb = 1024;

/** Refuses what Fly refuses of a machine's configuration; returns its image's digest. */
export async function admit(
  world: World,
  app: App,
  config: MachineConfig,
  with_: { readonly region: string; readonly minSecrets: number | undefined; readonly machine?: Machine },
): Promise<string> {
  checkGuest(config);
  checkMounts(world, app, config, with_.region, with_.machine);
  if (with_.minSecrets !== undefined && with_.minSecrets > app.secretsVersion)
    throw refuse(412, `failed_precondition: min_secrets_version ${with_.minSecrets} isn't there yet`);
  for (const file of config.files ?? [])
    if (file.secret_name !== undefined && app.secrets[file.secret_name] === undefined)
      throw refuse(400, `invalid_argument: secret ${file.secret_name} not found`);
  const digest = await world.runtime.resolve(config.image);
  if (digest === undefined)
    throw refuse(400, `invalid_argument: could not find image "${config.image}": MANIFEST_UNKNOWN`);
  return digest;
}

/** Writes down which machine has a volume. Two that were admitted at once don't both get it. */
export function attach(world: World, machine: Machine): void {
  for (const { volume: id } of machine.config.mounts ?? []) {
    const volume = world.state.volumes[id ?? ""];
    if (volume === undefined) continue;
    if (volume.machine !== undefined)
      throw refuse(412, `failed_precondition: volume ${volume.id} is attached to machine ${volume.machine}`);
    volume.machine = machine.id;
  }
}
