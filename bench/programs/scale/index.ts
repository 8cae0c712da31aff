import { Config } from "@pulumi/pulumi";
import { resolve } from "node:path";
import { deployStack } from "../../../components/deploy";
import { targets } from "../../../targets";
import { manyApps, manyAppsConfig } from "../../support/manyApps";

export = async () => {
  const count = new Config().requireNumber("apps");
  const config = manyAppsConfig(count);
  return deployStack({ apps: manyApps(count), targets, config, cwd: resolve(__dirname, "../../..") });
};
