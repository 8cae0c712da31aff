import type { HostPlan } from "../plan";
import { toolConfig } from "./envFile";
import { tools, unitFile, unitFolder } from "./names";
import { rootFile, type InstalledFile } from "./stageFile";
import { description, execLine, unitText, type Setting } from "./unitText";

const unit = "homeport-data.service";

/** What has the unit's program wait for the data disk, and not start without it: what it wrote would be lost under the disk. */
export const needsDisk = (plan: HostPlan): readonly Setting[] =>
  plan.dataDisk === undefined
    ? []
    : [
        ["Requires", unit],
        ["After", unit],
      ];

/** The host's own files of its data disk. */
export function dataDiskFiles(plan: HostPlan): readonly InstalledFile[] {
  if (plan.dataDisk === undefined) return [];
  return [
    rootFile("/etc/homeport/disk", 0o600, toolConfig({ SERIAL: plan.dataDisk.serial })),
    rootFile(unitFile(unit), 0o644, dataUnit),
    // Debian's servers are instances of the second, Amazon Linux's is the first.
    ...["postgresql.service", "postgresql@.service"].map((name) =>
      rootFile(`${unitFolder}/${name}.d/homeport.conf`, 0o644, postgresPart),
    ),
  ];
}

/**
 * Not in fstab(5): a machine is to boot, and to let people in, without its data disk; that may come minutes later, and may have
 * grown since. No setting here may give the program a view of its own on mounts (systemd.exec(5), Sandboxing).
 */
const dataUnit = unitText("Mounts this host's data disk.", [
  [
    "Unit",
    [
      description("Homeport data disk"),
      ["After", "local-fs.target"],
      ["OnFailure", "homeport-alert@%n.service homeport-retry@%n.service"],
    ],
  ],
  [
    "Service",
    [
      ["Type", "oneshot"],
      ["RemainAfterExit", "yes"],
      ["Environment", "HOMEPORT_DISK_SECONDS=600"],
      ["ExecStart", execLine([`${tools}/data-disk`, "mount"])],
      ["TimeoutStartSec", "20min"],
    ],
  ],
  ["Install", [["WantedBy", "multi-user.target"]]],
]);

const postgresPart = unitText("The databases lie on this host's data disk.", [
  [
    "Unit",
    [
      ["Requires", unit],
      ["After", unit],
    ],
  ],
]);
