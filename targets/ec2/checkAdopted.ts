import type { Problem } from "../../components/problems";
import { setCommand } from "../../components/settings";
import type { Ec2Host } from "./hosts";
import { removePath, setPath } from "./setPath";
import type { InstanceSettings } from "./settings";

/** Fields that say how a new instance is made. */
const madeOnly: readonly (keyof InstanceSettings)[] = [
  "ami",
  "zone",
  "subnet",
  "rootSize",
  "dataSize",
  "volume",
  "volumeType",
  "keyName",
  "securityGroups",
  "protect",
  "generation",
];

/** What keeps an instance that exists from being used. */
export function checkAdopted(host: Ec2Host): Problem[] {
  const { name, settings } = host;
  const problems: Problem[] = madeOnly
    .filter((field) => settings[field] !== undefined)
    .map((field) => ({
      where: `ec2:instances.${name}.${field}`,
      what: "It says how a new instance is made, and this one exists.",
      why: "An adopted instance is used as it is: it is never changed, restarted or replaced.",
      fix: `${removePath(name, field)}, or for a new instance: ${removePath(name, "id")}`,
    }));
  if (settings.hostKey === undefined) {
    problems.push({
      where: `ec2:instances.${name}.hostKey`,
      what: "The host's public key isn't known.",
      why: "Without it, anybody between here and there could answer in the host's place and be given your secrets.",
      fix:
        setPath(name, "hostKey", `"$(ssh-keyscan -t ed25519 ${settings.address ?? "ADDRESS"} | cut -d' ' -f2-)"`) +
        `, after comparing it with the machine's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`,
    });
  }
  return [...problems, ...checkArchiveAccess(host)];
}

/** Its apps' archives need the machine's role, or a key. */
function checkArchiveAccess({ name, apps, settings }: Ec2Host): Problem[] {
  if (settings.role !== undefined) return [];
  return apps.flatMap((app) => {
    const store = app.stackSettings.objectStore;
    const key = app.settings.accessKeyId ?? store.accessKeyId;
    const secret = app.settings.secretAccessKey ?? store.secretAccessKey;
    if (app.declaration.buckets.length === 0 || (key !== undefined && secret !== undefined)) return [];
    return [
      {
        where: `ec2:instances.${name}.role`,
        what: `${app.declaration.name} keeps an archive, and the adopted instance has nothing that may use it.`,
        why: "The role of an adopted instance gets no rights unless the stack names it.",
        fix:
          `${setPath(name, "role", "ROLE")} with the role of its instance profile, or an access key: ` +
          `${setCommand("s3:accessKeyId", false, "AKIA…")} && ${setCommand("s3:secretAccessKey", true)}`,
      },
    ];
  });
}
