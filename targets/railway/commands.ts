import type { Job, Service } from "../../components/declaration";
import type { SecretFile } from "./values";

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * A command line for Railway, which starts images and Dockerfiles without a shell: variables in it are seen only by one of
 * its own (docs.railway.com/reference/build-and-start-commands).
 */
export const shell = (script: string): string => `/bin/sh -c ${quote(script)}`;

/** Where a file that the app rewrites itself lies: below its volume, so that it outlives the deploy. */
const rewrittenPath = (service: Service, variable: string): string =>
  `${service.volumes?.[0]?.path ?? "/var/lib"}/.homeport/${variable}`;

/** Writes secret files from the variables that carry them, as Railway has no files of its own. */
function fileLines(service: Service, files: readonly SecretFile[]): string[] {
  return files.flatMap(({ variable, carrier, path, rewritten }) => {
    const place = (at: string) => [
      `mkdir -p ${quote(at.replace(/\/[^/]*$/, ""))}`,
      `( umask 077; printf %s "$${carrier}" | base64 -d >${quote(at)} )`,
    ];
    if (!rewritten) return [...place(path), `unset ${carrier}`];
    // Placed anew only when the configured content changes; what the app wrote since stays otherwise.
    const at = rewrittenPath(service, variable);
    const given = `${at}.given`;
    return [
      ...place(`${given}.new`),
      `cmp -s ${quote(`${given}.new`)} ${quote(given)} || { cp ${quote(`${given}.new`)} ${quote(at)} && mv ${quote(`${given}.new`)} ${quote(given)}; }`,
      `export ${variable}=${quote(at)}`,
      `unset ${carrier}`,
    ];
  });
}

/** The command that starts a service; null leaves it to the image. */
export function startCommand(service: Service, files: readonly SecretFile[]): string | null {
  if (service.command === undefined) return null;
  const lines = [
    ...(service.folders ?? []).map((folder) => `mkdir -p ${quote(folder)}`),
    ...fileLines(service, files),
    `exec ${service.command}`,
  ];
  return shell(lines.join("\n"));
}

/** The command that runs before a new version takes over, in a container of its own without volumes. */
export function releaseCommand(service: Service, files: readonly SecretFile[]): string[] {
  if (service.release === undefined) return [];
  return [shell([...fileLines({ ...service, volumes: [] }, files), service.release].join("\n"))];
}

/** The command that is one run of a job: Railway starts it at its time, and skips times at which it still runs. */
export function jobCommand(job: Job, seconds: number, files: readonly SecretFile[]): string {
  const commands = [job.command].flat();
  const one = (command: string) => `timeout ${seconds} /bin/sh -c ${quote(command)}`;
  const body =
    commands.length === 1
      ? [`exec ${one(commands[0] ?? "")}`]
      : job.onFailure === "continue"
        ? ["failed=0", ...commands.map((command) => `${one(command)} || failed=$?`), "exit $failed"]
        : commands.map((command) => `${one(command)} || exit $?`);
  return shell([...fileLines(job.in, files), ...body].join("\n"));
}
