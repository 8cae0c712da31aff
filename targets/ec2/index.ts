import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { readSettings, type StackConfig } from "../../components/settings";
import type { Operations, PlacedApp } from "../operations";
import { systemdCapabilities } from "../systemd/check";
import type { PendingCreation, Search } from "../recovery";
import type { Place, Target } from "../target";
import { awsConnection, checkAws } from "./awsConfig";
import { checkEc2 } from "./check";
import { ec2Settings, type Ec2Settings } from "./settings";

/** Virtual machines of AWS, new ones or such as exist. */
export const ec2: Target = {
  name: "ec2",
  about: "AWS EC2 with systemd",
  capabilities: systemdCapabilities,
  settings: ec2Settings,

  // Roles of the repository's workflows: a stack whose state is on AWS needs them wherever its apps are.
  wanted: (config: StackConfig): boolean => config.entries.has("ec2:github"),

  check(apps: readonly ResolvedApp[], config: StackConfig): readonly Problem[] {
    const { values, problems } = readSettings("ec2", ec2Settings, config);
    // Of instances that can't be read, everything else that could be said would be wrong.
    if (problems.some(({ where }) => where === "ec2:instances")) return checkAws(config);
    return checkEc2(apps, values, config);
  },

  async open(apps: readonly ResolvedApp[], config: StackConfig): Promise<Place> {
    return (await import("./place")).openEc2(apps, read(config), config);
  },

  async operate(app: PlacedApp, config: StackConfig, outputs: () => Promise<unknown>): Promise<Operations> {
    return (await import("./operate")).operateEc2(app, read(config), config, outputs);
  },

  async search(creation: PendingCreation, config: StackConfig): Promise<Search | undefined> {
    return (await import("./recover")).searchEc2(creation, awsConnection(config));
  },
};

function read(config: StackConfig): Ec2Settings {
  return readSettings("ec2", ec2Settings, config).values;
}
