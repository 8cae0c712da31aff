import type { HostPlan } from "../plan";
import { hardening } from "./hardening";
import { releaseOf, slice, tools, volumeFolder, volumePath } from "./names";
import type { Place } from "./place";
import { shellWord } from "./quote";
import { assignment, settingPath, type Setting } from "./unitText";

/**
 * Bash text that runs `program` in the place's release. `cd -P` pins the release that the link names now, so that a switch
 * during a run doesn't mix two. Credentials are found by the variable that systemd gives: their folder's name differs
 * between its versions.
 */
export function inRelease(place: Place, program: string): string {
  const credentials = place.service.secretFiles.filter((file) => !file.rewritten).map((file) => file.variable);
  const exports = [
    `PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PWD/.homeport/bin:/usr/local/bin:/usr/bin:/bin:${tools}"`,
    ...(isPython(place) ? [`VIRTUAL_ENV="$PWD/.venv"`, `UV_PROJECT_ENVIRONMENT="$PWD/.venv"`] : []),
    ...credentials.map((variable) => `${variable}="$CREDENTIALS_DIRECTORY/${variable}"`),
  ];
  return `cd -P ${shellWord(place.link)} && export ${exports.join(" ")} && ${program}`;
}

/** Everything but the command that a process of the app's code runs with. */
export function processSettings(plan: HostPlan, place: Place, envFiles: readonly string[]): readonly Setting[] {
  const { service } = place;
  const home = `/var/lib/${plan.id}/.home`;
  return [
    ["User", plan.user],
    ["Slice", slice(plan)],
    assignment("HOME", home),
    ...runtimeVariables(place),
    ...envFiles.map((file): Setting => ["EnvironmentFile", file]),
    ...service.secretFiles
      .filter((file) => !file.rewritten)
      .map(({ variable }): Setting => ["LoadCredential", `${variable}:${place.credentials}/${variable}`]),
    ["StateDirectory", `${plan.id}/.home`],
    ["StateDirectoryMode", "0700"],
    ...service.volumes.map(({ path }): Setting => [
      "BindPaths",
      `${settingPath(volumeFolder(plan, path))}:${volumePath(path)}`,
    ]),
    ...resources(place),
    ...hardening,
  ];
}

/**
 * At its memory an instance is slowed down and its caches are taken; a quarter above, it is killed and started again.
 * CPUs are a share and no limit, as an idle host's time would be wasted.
 */
function resources({ service }: Place): readonly Setting[] {
  return [
    ["MemoryHigh", `${service.memoryMib}M`],
    ["MemoryMax", `${Math.ceil(service.memoryMib * 1.25)}M`],
    ["CPUWeight", String(Math.min(10_000, Math.max(1, Math.round(service.cpus * 100))))],
    ["TasksMax", "1024"],
    ["LimitNOFILE", "65536"],
  ];
}

/** Releases are read-only and hosts may be offline: nothing is compiled into them, synchronised or fetched at a start. */
function runtimeVariables(place: Place): readonly Setting[] {
  const common = { LANG: "C.UTF-8" };
  const python = {
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    UV_FROZEN: "1",
    UV_NO_SYNC: "1",
    UV_OFFLINE: "1",
    UV_PYTHON_DOWNLOADS: "never",
  };
  const node = { NODE_ENV: "production", npm_config_update_notifier: "false" };
  return Object.entries({ ...common, ...(isPython(place) ? python : node) }).map(([k, v]) => assignment(k, v));
}

const isPython = (place: Place): boolean => releaseOf(place.service)?.runtime.language === "python";
