import { gzipSync } from "node:zlib";
import { userName } from "../../components/values/names";
import { DriverError } from "../../drivers/error";
import { writeTar, type TarEntry } from "../../drivers/source/tar";
import { runSession } from "../../drivers/ssh";
import { explainEnd } from "../../drivers/sshErrors";
import { parseFailure, parseNeed, parseResult } from "./frames";
import { hostScript } from "./hostScript";
import { header, remoteCommand } from "./loader";
import type { Connection, HostResult } from "./plan";

export interface Rollback {
  readonly connection: Connection;
  readonly app: string;
  readonly stack: string;
  /** Name of both on the host. */
  readonly id: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes a host take up the version of an app that it had before the present one. What it is comes from the host's own
 * memory (LAYOUT.md); only the program travels, and whose history is meant.
 * @throws DriverError where there is no earlier version, or where it isn't healthy
 */
export async function rollback(options: Rollback): Promise<HostResult> {
  const { connection, progress, signal, id } = options;
  let result: HostResult | undefined;
  let failure: DriverError | undefined;
  const end = await runSession({
    connection,
    command: remoteCommand(connection.user),
    input: async () => {
      const stage = await rollbackStage(options);
      return Buffer.concat([header("rollback", stage.length), stage]);
    },
    signal,
    progress,
    onFrame: (line) => {
      if (line.startsWith("FAIL ")) failure ??= parseFailure(line);
      else if (line.startsWith("RESULT ")) result = parseResult(line);
      else if (parseNeed(line) !== undefined) {
        throw new DriverError({
          what: "The version before isn't whole on the host any more.",
          where: `${id} on ${connection.address}`,
          why: "its code was removed",
          fix: "put the version that you want into the source and deploy it: pulumi up",
        });
      }
    },
  });
  if (failure !== undefined) throw failure;
  if (result === undefined || end.code !== 0) throw explainEnd(end, connection);
  return result;
}

/** `deploy.sh`, and a plan that names the app and nothing else. */
export async function rollbackStage({ app, stack, id }: Pick<Rollback, "app" | "stack" | "id">): Promise<Buffer> {
  const files = {
    "deploy.sh": hostScript(),
    "plan.sh": `APP=${app} STACK=${stack} ID=${id} APP_USER=${userName(app, stack)}\n`,
  };
  const chunks: Buffer[] = [];
  for await (const chunk of writeTar(entries(files))) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks), { level: 1 });
}

async function* entries(files: Readonly<Record<string, string>>): AsyncGenerator<TarEntry> {
  for (const [path, text] of Object.entries(files)) {
    const content = Buffer.from(text, "utf8");
    yield { path, type: "file", size: content.length, content: once(content) };
  }
  await Promise.resolve();
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
  await Promise.resolve();
}
