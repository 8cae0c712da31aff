import type { Job, Service } from "../../components/declaration";
import { quote } from "../../components/values/shell";
import { jobCommand } from "../containers/jobs";
import { rememberPlace } from "../containers/session";
import { jobsFile, type JobsBeside } from "./jobs";
import type { SecretFile } from "./values";

/**
 * A command line for Railway, which starts images and Dockerfiles without a shell: variables in it are seen only by one of
 * its own (docs.railway.com/reference/build-and-start-commands).
 */
export const shell = (script: string): string => `/bin/sh -c ${quote(script)}`;

/** Writes secret files from the variables that carry them, as Railway has no files of its own. */
function fileLines(files: readonly SecretFile[]): string[] {
  return files.flatMap(({ carrier, path, rewritten }) => {
    const place = (at: string) => [
      `mkdir -p ${quote(at.replace(/\/[^/]*$/, ""))}`,
      `( umask 077; printf %s "$${carrier}" | base64 -d >${quote(at)} )`,
    ];
    if (!rewritten) return [...place(path), `unset ${carrier}`];
    // Placed anew only when the configured content changes; what the app wrote since stays otherwise.
    const given = `${path}.given`;
    return [
      ...place(`${given}.new`),
      `cmp -s ${quote(`${given}.new`)} ${quote(given)} || { cp ${quote(`${given}.new`)} ${quote(path)} && mv ${quote(`${given}.new`)} ${quote(given)}; }`,
      `unset ${carrier}`,
    ];
  });
}

/** The command that starts a service, and the jobs that run beside it; null leaves it to the image. */
export function startCommand(service: Service, files: readonly SecretFile[], jobs?: JobsBeside): string | null {
  if (service.command === undefined) return null;
  const lines = [
    ...(service.folders ?? []).map((folder) => `mkdir -p ${quote(folder)}`),
    ...fileLines([...files, ...(jobs?.files ?? [])]),
    rememberPlace,
    ...(jobs === undefined ? [] : [`sh ${jobsFile} &`]),
    // The service doesn't see what is meant for its jobs alone.
    ...(jobs === undefined || jobs.own.length === 0 ? [] : [`unset ${jobs.own.join(" ")}`]),
    `exec ${service.command}`,
  ];
  return shell(lines.join("\n"));
}

/** The command that runs before a new version takes over, in a container of its own without volumes. */
export function releaseCommand(service: Service, files: readonly SecretFile[]): string[] {
  if (service.release === undefined) return [];
  return [shell([...fileLines(files), service.release].join("\n"))];
}

/** The command that is one run of a job: Railway starts it at its time, and skips times at which it still runs. */
export const cronCommand = (job: Job, files: readonly SecretFile[]): string =>
  shell([...fileLines(files), jobCommand(job)].join("\n"));
