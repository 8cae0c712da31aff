import type { HostPlan, PlannedCommand, PlannedService } from "../plan";
import { containerRun } from "./containerProgram";
import { needsDisk } from "./dataDisk";
import { config, slice } from "./names";
import { activePlace } from "./place";
import { inRelease, processSettings } from "./processProgram";
import { shellWord } from "./quote";
import { raw, type Setting, type Word } from "./unitText";
import { serviceVariables } from "./variables";

export const execScriptPath = (plan: HostPlan, service: string): string => config(plan, `exec/${service}`);

/**
 * `/etc/homeport/<id>/exec/<service>`: runs its arguments as the service would run them, in a transient unit with the same
 * settings (systemd-run(1)), and ends with their exit code. The unit is `<id>-run-<service>-<process>-<time>`, process being
 * the script's own, so that who started it finds it.
 */
export function execScript(plan: HostPlan, service: PlannedService): string {
  const place = activePlace(plan, service);
  const unit = `${plan.id}-run-${service.name}-$$-$EPOCHSECONDS`;
  const image = "image" in service.code;
  const settings: readonly Setting[] = image
    ? [
        ["EnvironmentFile", place.envFile],
        ["Slice", slice(plan)],
      ]
    : processSettings(plan, place, [place.envFile]);
  const properties = [...needsDisk(plan), ...settings]
    .map(([key, value]) => `  --property=${shellWord(`${key}=${value}`)} \\\n`)
    .join("");
  const program = image
    ? containerWords(plan, service)
    : ["/bin/bash", "-c", escapeVariables(inRelease(place, 'exec "$@"')), service.name];
  return `#!/bin/bash
# Runs a command line as ${service.name} of ${plan.id} would, at a terminal or with pipes. Written by Homeport.
set -euo pipefail
if (($# == 0)); then
  echo "Say what to run: $0 <program> [argument...]" >&2
  exit 64
fi
stdio=--pipe terminal=()
if [[ -t 0 && -t 1 ]]; then stdio=--pty terminal=(--tty); fi
# The manager replaces variables in a command line, and \`$$\` by \`$\` (systemd.service(5)).
exec systemd-run --quiet --wait --collect "$stdio" --service-type=exec \\
  --unit="${unit}" --description=${shellWord(`${plan.id} ${service.name}: a command`)} \\
${properties}  -- ${program.map(scriptWord).join(" ")} "\${@//\\$/\\$\\$}"
`;
}

const escapeVariables = (text: string): string => text.replaceAll("$", "$$$$");

const scriptWord = (word: Word): string => (typeof word === "string" ? shellWord(word) : word.raw);

function containerWords(plan: HostPlan, service: PlannedService): readonly Word[] {
  const words = containerRun(plan, activePlace(plan, service), {
    name: `${plan.id}-run-${service.name}-$$-$EPOCHSECONDS`,
    variables: Object.keys(serviceVariables(plan, service)).sort(),
    publish: false,
    options: ["--interactive", raw('"${terminal[@]}"')],
    shell: 'exec "$@"',
  });
  return [...words.map((word) => (typeof word === "string" ? escapeVariables(word) : word)), service.name];
}

/** `/etc/homeport/<id>/run/<command>`: a declared command, with arguments appended. */
export function commandScript(plan: HostPlan, command: PlannedCommand): string {
  const shell = plan.services.some((s) => s.name === command.service && "image" in s.code) ? "/bin/sh" : "/bin/bash";
  const program = `${command.command} "$@"`;
  return `#!/bin/bash
# The command ${command.name} of ${plan.id}. Written by Homeport.
exec ${execScriptPath(plan, command.service)} ${shell} -c ${shellWord(program)} ${shellWord(command.name)} "$@"
`;
}
