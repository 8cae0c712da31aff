import type { Deadline } from "../../../drivers/http";
import { asGiven, configOf, metadataOf, type Machine, type MachineConfig } from "../api/types";
import { launchKey, type Fly } from "../api/fly";
import { exitOf } from "../deploy/health";
import { tag } from "../deploy/tags";
import { environmentFile, jobScript, jobTags, type PlannedJob } from "./schedule";

/** How a job's run ended. */
export interface Ending {
  readonly code: number | undefined;
  readonly reason: "exit" | "timeout" | "lost";
  /** Its last lines, where they could be read. */
  readonly log: readonly string[];
}

/** Runs a job to its end, once for each of its times: a run that is there already is followed instead. */
export function runJob(fly: Fly, id: string, job: PlannedJob, at: Date): Promise<Ending> {
  return job.inPlace ? runInPlace(fly, id, job, at) : runOnMachine(fly, id, job, at);
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

async function runOnMachine(fly: Fly, id: string, job: PlannedJob, at: Date): Promise<Ending> {
  const launch = `${job.name}-${at.getTime()}`;
  const [there] = await fly.machines(job.flyApp, { [launchKey]: launch });
  let machine = there;
  if (machine === undefined) {
    const [like] = (await services(fly, id, job)).sort(bySlot);
    const config = like === undefined ? undefined : configOf(like);
    if (like === undefined || config === undefined)
      return { code: undefined, reason: "lost", log: ["the service isn't deployed"] };
    const wanted = {
      region: like.region,
      config: jobConfig(id, job, asGiven(config), at),
      skip_service_registration: true,
    };
    machine = await fly.createMachine(job.flyApp, launch, wanted);
  }
  const deadline = fly.deadline(job.timeoutSeconds + 180, `the job ${job.name}`);
  const ended = await waitEnd(fly, job, machine.id, deadline);
  await fly.destroyMachine(job.flyApp, machine.id);
  if (ended === undefined) return { code: undefined, reason: "timeout", log: [] };
  const exit = exitOf(ended);
  return { code: exit?.guest_exit_code ?? exit?.exit_code, reason: "exit", log: [`machine ${machine.id}`] };
}

async function waitEnd(fly: Fly, job: PlannedJob, id: string, deadline: Deadline): Promise<Machine | undefined> {
  const { world } = fly.client;
  let started: number | undefined;
  for (let settle = 0; ;) {
    const machine = await fly.machine(job.flyApp, id);
    if (machine?.state === "started") started ??= world.now();
    if (machine !== undefined && ["stopped", "failed", "destroyed"].includes(machine.state)) {
      if (exitOf(machine) !== undefined || settle++ >= 5) return machine;
    }
    if (started !== undefined && world.now() - started > job.timeoutSeconds * 1000) return undefined;
    if (!(await fly.client.pause(2000, deadline))) return undefined;
  }
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

async function runInPlace(fly: Fly, id: string, job: PlannedJob, at: Date): Promise<Ending> {
  const [machine] = (await services(fly, id, job)).sort(bySlot);
  if (machine === undefined) return { code: undefined, reason: "lost", log: ["the service isn't deployed"] };
  const folder = runFolder(job, at);
  const sh = (script: string) => fly.exec(job.flyApp, machine.id, ["/bin/sh", "-c", script]);
  const { world } = fly.client;
  const deadline = fly.deadline(job.timeoutSeconds + 300, `the job ${job.name}`);
  if (machine.state !== "started") {
    await fly.act(job.flyApp, machine.id, "start");
    while ((await fly.machine(job.flyApp, machine.id))?.state !== "started") {
      if (!(await fly.client.pause(2000, deadline))) return { code: undefined, reason: "lost", log: [] };
    }
  }
  await sh(beginScript(job, at));
  const begun = world.now();
  for (;;) {
    const { stdout = "" } = await sh(`cat ${folder}/code 2>/dev/null || { [ -d ${folder} ] || echo gone; }`);
    const said = stdout.trim();
    // A new version of the service has come, and taken the run along with the machine's file system.
    if (said === "gone") return { code: undefined, reason: "lost", log: ["the service was replaced meanwhile"] };
    const over = world.now() - begun > job.timeoutSeconds * 1000;
    if (said === "" && over) await sh(`kill -TERM -$(cat ${folder}/pid); sleep 5; kill -KILL -$(cat ${folder}/pid)`);
    if (said !== "" || over) {
      const { stdout: tail = "" } = await sh(`tail -n 20 ${folder}/log; rm -rf ${folder}`);
      const log = tail.split("\n").filter((line) => line !== "");
      return said === "" ? { code: undefined, reason: "timeout", log } : { code: Number(said), reason: "exit", log };
    }
    if (!(await fly.client.pause(3000, deadline))) return { code: undefined, reason: "lost", log: [] };
  }
}
