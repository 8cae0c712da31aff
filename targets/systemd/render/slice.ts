import type { HostPlan } from "../plan";
import { description, unitText } from "./unitText";

/** `<id>.slice`, which everything of the app runs in: `systemctl status <id>.slice` shows it all. */
export const sliceText = (plan: HostPlan): string =>
  unitText(`Everything of ${plan.id}.`, [
    ["Unit", [description(`${plan.app} (${plan.stack})`)]],
    [
      "Slice",
      [
        ["CPUAccounting", "yes"],
        ["MemoryAccounting", "yes"],
        ["IOAccounting", "yes"],
      ],
    ],
  ]);
