import { projectTexts } from "../../drivers/text";

/** The parts of deploy.sh in the order in which they are joined: the first sets the shell up, the last starts. */
export const hostParts = [
  "base.sh",
  "lock.sh",
  "state.sh",
  "preflight.sh",
  "packagetable.sh",
  "packages.sh",
  "rootdisk.sh",
  "datadisk.sh",
  "users.sh",
  "ports.sh",
  "tokens.sh",
  "databases.sh",
  "files.sh",
  "units.sh",
  "releases.sh",
  "python.sh",
  "node.sh",
  "health.sh",
  "slots.sh",
  "switch.sh",
  "proxy.sh",
  "firewall.sh",
  "timers.sh",
  "prune.sh",
  "remove.sh",
  "main.sh",
] as const;

/** The program that a stage runs on the host, `deploy.sh`: the same for every app. */
export function hostScript(parts: readonly string[] = hostParts): string {
  const texts = projectTexts("targets/systemd/host");
  return parts
    .map((name) => {
      const text = texts[name];
      if (text === undefined) throw new Error(`targets/systemd/host/${name} is missing.`);
      return text;
    })
    .join("\n");
}
