import type { Driver, DriverIo } from "../../drivers/driver";
import type { DriverError } from "../../drivers/error";
import { pack } from "../../drivers/source";
import { runSession, type Session } from "../../drivers/ssh";
import { explainEnd, explainGone } from "../../drivers/sshErrors";
import { parseFailure, parseNeed, parseResult } from "./frames";
import { header, remoteCommand, type Verb } from "./loader";
import type { HostPlan, HostResult, HostSpec, PlannedRelease } from "./plan";
import { stageArchive } from "./stageArchive";

/** Platform `systemd`: kind `app` is one app of one stack on a host, `HostSpec` in, `HostResult` out. */
export const systemd: Readonly<Record<"app", Driver>> = {
  app: {
    apply: (spec, io) => deploy(spec as HostSpec, "apply", io),
    delete: (spec, io) => deploy(spec as HostSpec, "delete", io),
  },
};

/**
 * Makes a host be as a plan says, in one SSH session: the stage goes in, releases that the host asks for follow, the result
 * comes back.
 * @throws DriverError with what the host or ssh said; Interrupted
 */
export async function deploy({ connection, plan }: HostSpec, verb: Verb, io: DriverIo): Promise<HostResult> {
  let stage: Promise<Buffer> | undefined;
  let result: HostResult | undefined;
  let failure: DriverError | undefined;
  const end = await runSession({
    connection,
    command: remoteCommand(connection.user),
    input: async () => {
      const archive = await (stage ??= stageArchive(plan));
      return Buffer.concat([header(verb, archive.length, process.env.HOMEPORT_TRACE === "1"), archive]);
    },
    signal: io.signal,
    progress: io.progress,
    onFrame: async (line, session) => {
      const need = parseNeed(line);
      if (need !== undefined) await sendRelease(plan, need, session, io);
      else if (line.startsWith("FAIL ")) failure ??= parseFailure(line);
      else if (line.startsWith("RESULT ")) result = parseResult(line);
    },
  });
  if (failure !== undefined) throw failure;
  const explain = verb === "delete" ? explainGone : explainEnd;
  if (result === undefined || end.code !== 0) throw explain(end, connection);
  return result;
}

async function sendRelease(plan: HostPlan, id: string, session: Session, io: DriverIo): Promise<void> {
  const release = releaseNamed(plan, id);
  const packed = await pack(release.source, release.fingerprint, { cwd: io.project });
  try {
    io.progress(`${plan.id}: sends ${release.fingerprint.describe} (${Math.ceil(packed.bytes / 1024)} KiB)`);
    await session.send(Buffer.from(`RELEASE ${id} ${packed.bytes}\n`));
    await session.send(packed.stream());
  } finally {
    await packed.dispose();
  }
}

function releaseNamed(plan: HostPlan, id: string): PlannedRelease {
  for (const { code } of plan.services) if ("releaseId" in code && code.releaseId === id) return code;
  throw new Error(`The host asked for release ${id}, which the plan of ${plan.id} hasn't got.`);
}
