import { hasStatus } from "../../../drivers/http";
import { asGiven, configOf, metadataOf, type Machine, type MachineConfig } from "../api/types";
import { launchKey, type Fly } from "../api/fly";
import { tag } from "../deploy/tags";
import { endOf } from "./machineEnd";
import { patiently } from "./patience";
import { environmentFile, jobScript, jobTags, type PlannedJob } from "./schedule";

/** How a job's run ended. */
export interface Ending {
  readonly code: number | undefined;
  readonly reason: "exit" | "timeout" | "lost";
  /** Its last lines, where they could be read. */
  readonly log: readonly string[];
}

/** Seconds in which a job has to begin, and its machine to be made. */
const startSeconds = 600;
/** Seconds that a script in a machine may take. */
const execSeconds = 30;
/** Seconds that a service's machine may be down: an update's restart takes so long. */
const downSeconds = 120;

/**
 * Runs a job to its end, once for each of its times: a run that is there already is followed instead.
 * @param resumed whether it is there, as far as is known: then none is begun in its place
 */
export function runJob(fly: Fly, id: string, job: PlannedJob, at: Date, resumed = false): Promise<Ending> {
  return job.inPlace ? runInPlace(fly, id, job, at, resumed) : runOnMachine(fly, id, job, at, resumed);
}

const services = (fly: Fly, id: string, { flyApp, group }: PlannedJob): Promise<Machine[]> =>
  fly.machines(flyApp, { [tag.owner]: id, [tag.role]: "service", [tag.group]: group });

const bySlot = (a: Machine, b: Machine): number => Number(metadataOf(a)[tag.slot]) - Number(metadataOf(b)[tag.slot]);

/** A group's configuration for one run of a job. Pure. */
export function jobConfig(id: string, job: PlannedJob, like: MachineConfig, at: Date): MachineConfig {
  return {
    image: like.image,
    guest: like.guest,
    env: { ...like.env, FLY_PROCESS_GROUP: `job-${job.name}` },
    ...(like.files === undefined ? {} : { files: like.files }),
    init: { entrypoint: ["/bin/sh", "-c"], cmd: [jobScript(job)] },
    restart: { policy: "no" },
    auto_destroy: false,
    dns: { skip_registration: true },
    metadata: {
      [tag.platform]: "v2",
      [tag.group]: `job-${job.name}`,
      [tag.owner]: id,
      [tag.role]: "job",
      [jobTags.name]: job.name,
      [jobTags.at]: at.toISOString(),
    },
  };
}

async function runOnMachine(fly: Fly, id: string, job: PlannedJob, at: Date, resumed: boolean): Promise<Ending> {
  const begin = fly.deadline(startSeconds, `the job ${job.name} to begin`);
  const machine = await patiently(fly, begin, () => machineFor(fly, id, job, at, resumed));
  if (machine === undefined) return lost(resumed ? "its machine is gone" : "the service isn't deployed");
  return endOf(fly, job.flyApp, machine.id, job.timeoutSeconds);
}

/** The run's machine, made unless it is there. @returns undefined where there is no service that it could be like */
async function machineFor(
  fly: Fly,
  id: string,
  job: PlannedJob,
  at: Date,
  resumed: boolean,
): Promise<Machine | undefined> {
  const launch = `${job.name}-${at.getTime()}`;
  const [there] = await fly.machines(job.flyApp, { [launchKey]: launch });
  if (there !== undefined || resumed) return there;
  const [like] = (await services(fly, id, job)).sort(bySlot);
  const config = like === undefined ? undefined : configOf(like);
  if (like === undefined || config === undefined) return undefined;
  return fly.createMachine(job.flyApp, launch, {
    region: like.region,
    config: jobConfig(id, job, asGiven(config), at),
    skip_service_registration: true,
  });
}

/** The shell that begins a run inside of a service's machine, unless it has begun already, and doesn't wait for it. Pure. */
export function beginScript(job: PlannedJob, at: Date): string {
  const folder = runFolder(job, at);
  const quoted = jobScript(job).replaceAll("'", `'\\''`);
  return [
    `mkdir ${folder} 2>/dev/null || exit 0`,
    `[ ! -r ${environmentFile} ] || . ${environmentFile}`,
    // The shell's own child, so that it can be waited for; a session of its own, so that it can be ended as a whole.
    `( setsid sh -c 'echo $$ >${folder}/pid\n( ${quoted}\n)' >${folder}/log 2>&1 </dev/null`,
    `  echo $? >${folder}/code ) >/dev/null 2>&1 </dev/null &`,
  ].join("\n");
}

const runFolder = (job: PlannedJob, at: Date): string => `/tmp/homeport-${job.name}-${at.getTime()}`;

async function runInPlace(fly: Fly, id: string, job: PlannedJob, at: Date, resumed: boolean): Promise<Ending> {
  const deadline = fly.deadline(job.timeoutSeconds + startSeconds, `the job ${job.name}`);
  const ask = <T>(act: () => Promise<T>) => patiently(fly, deadline, act);
  const [machine] = (await ask(() => services(fly, id, job))).sort(bySlot);
  if (machine === undefined) return lost("the service isn't deployed");
  const folder = runFolder(job, at);
  // Every one of these scripts does the same when it is run twice.
  const sh = async (script: string): Promise<string> => {
    const command = ["/bin/sh", "-c", script];
    const { stdout = "" } = await ask(() => fly.exec(job.flyApp, machine.id, command, execSeconds, true));
    return stdout;
  };
  const { world } = fly.client;
  if (machine.state !== "started") {
    await ask(() => fly.act(job.flyApp, machine.id, "start"));
    while ((await ask(() => fly.machine(job.flyApp, machine.id)))?.state !== "started") {
      if (!(await fly.client.pause(2000, deadline))) return lost("its machine doesn't start");
    }
  }
  if (!resumed) await sh(beginScript(job, at));
  const begun = world.now();
  let down: number | undefined;
  for (;;) {
    const said = await sh(`cat ${folder}/code 2>/dev/null || { [ -d ${folder} ] || echo gone; }`).then(
      (stdout) => stdout.trim(),
      (error: unknown) => (hasStatus(error, 404, 412) ? "down" : Promise.reject(error as Error)),
    );
    // A new version of the service has come, and taken the run along with the machine's file system.
    if (said === "gone") return lost("the service was replaced meanwhile");
    // It is given another version, or was stopped: the run is gone in either case, which is sure only once it is up again.
    down = said === "down" ? (down ?? world.now()) : undefined;
    if (down !== undefined && world.now() - down > downSeconds * 1000) return lost("its machine was stopped meanwhile");
    if (down === undefined) {
      const over = world.now() - begun > job.timeoutSeconds * 1000;
      if (said === "" && over) await sh(`kill -TERM -$(cat ${folder}/pid); sleep 5; kill -KILL -$(cat ${folder}/pid)`);
      if (said !== "" || over) {
        const log = (await sh(`tail -n 20 ${folder}/log`).catch(() => "")).split("\n").filter((line) => line !== "");
        await sh(`rm -rf ${folder}`).catch(() => undefined);
        return said === "" ? { code: undefined, reason: "timeout", log } : { code: Number(said), reason: "exit", log };
      }
    }
    if (!(await fly.client.pause(3000, deadline))) return lost("its end wasn't seen");
  }
}

const lost = (why: string): Ending => ({ code: undefined, reason: "lost", log: [why] });
