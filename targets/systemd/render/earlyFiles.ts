import type { HostPlan } from "../plan";
import { cloudwatchFiles } from "./cloudwatch";
import { dataDiskFiles } from "./dataDisk";
import { toolConfig } from "./envFile";
import { firewallBase, firewallPath, metadataFiles } from "./firewall";
import { hostUnits } from "./hostUnits";
import { journalPath, journalText } from "./journal";
import { config, redisUnit, slice, unitFile } from "./names";
import { proxyBase, proxyDomains, proxyFolder, unavailable } from "./proxyBase";
import { redisConfig, redisConfigPath, redisUnitText } from "./redis";
import { sliceText } from "./slice";
import { rootFile, type InstalledFile } from "./stageFile";

/** The host's own files, the same for all of its apps; those for domains come with the apps that have one. */
export const sharedFiles = (plan: HostPlan): readonly InstalledFile[] => [
  ...hostUnits().map(([path, content]) => rootFile(path, 0o644, content)),
  rootFile(`${proxyFolder}/00-homeport.cfg`, 0o600, proxyBase),
  rootFile(`${proxyFolder}/503.http`, 0o600, unavailable),
  ...(plan.services.some((service) => service.domain !== undefined)
    ? [
        rootFile(`${proxyFolder}/10-domains.cfg`, 0o600, proxyDomains),
        rootFile(`${proxyFolder}/certs/.keep`, 0o600, ""),
      ]
    : []),
  rootFile(firewallPath, 0o600, firewallBase),
  rootFile(journalPath, 0o644, journalText),
  ...dataDiskFiles(plan),
  ...cloudwatchFiles(plan),
  ...metadataFiles(plan),
];

/** What is there before the app's first process. */
export const earlyFiles = (plan: HostPlan): readonly InstalledFile[] => [
  rootFile(unitFile(slice(plan)), 0o644, sliceText(plan)),
  rootFile(config(plan, "alert"), 0o600, alertConfig(plan)),
  ...(plan.pingUrl === undefined ? [] : [rootFile(config(plan, "ping"), 0o600, toolConfig({ URL: plan.pingUrl }))]),
  ...(plan.services.some((service) => service.domain !== undefined)
    ? [rootFile(config(plan, "acme"), 0o600, toolConfig({ EMAIL: plan.acme.email, DIRECTORY: plan.acme.directory }))]
    : []),
  ...plan.databases.flatMap((database) =>
    database.engine === "redis"
      ? [
          rootFile(redisConfigPath(plan, database), 0o600, redisConfig(plan, database)),
          rootFile(unitFile(redisUnit(plan, database.name)), 0o644, redisUnitText(plan, database)),
        ]
      : [],
  ),
];

/** Whom the host's alerts are told to (LAYOUT.md, Host tools). */
function alertConfig({ app, stack, alertWebhook, monitoring }: HostPlan): string {
  const { arn, region, endpoint } = monitoring?.topic ?? {};
  return toolConfig({ APP: app, STACK: stack, URL: alertWebhook, TOPIC: arn, REGION: region, ENDPOINT: endpoint });
}
