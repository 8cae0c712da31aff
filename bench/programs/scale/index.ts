import { Config } from "@pulumi/pulumi";
import { resolve } from "node:path";
import { deployStack } from "../../../components/deploy";
import { targets } from "../../../targets";
import { manyApps, manyAppsConfig } from "../../support/manyApps";
import { plainApps } from "./plain";

export = async () => {
  const given = new Config();
  const count = given.requireNumber("apps");
  if (given.getBoolean("plain") === true) return plainApps(count);
  const config = manyAppsConfig(count);
  return deployStack({ apps: manyApps(count), targets, config, cwd: resolve(__dirname, "../../..") });
};
