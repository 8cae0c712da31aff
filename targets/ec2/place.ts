import { ComponentResource, output, type Input, type Output } from "@pulumi/pulumi";
import type { ResolvedApp } from "../../components/resolvedApp";
import type { StackConfig } from "../../components/settings";
import { SystemdHome } from "../systemd/home";
import type { Place } from "../target";
import { adoptHost } from "./adopted";
import { awsConnection } from "./awsConfig";
import { monthlyBudget } from "./budget";
import { githubRoles } from "./github";
import { githubArgs } from "./githubScope";
import { installGuard } from "./guard/install";
import { hostsOf, instanceOf, type Ec2Host } from "./hosts";
import { StackKey } from "./keys";
import { makeHost } from "./made";
import type { OpenedHost, Shared } from "./opened";
import type { Ec2Settings } from "./settings";
import { dailySnapshots } from "./snapshots";
import { alarmTopic } from "./watching";

/**
 * Makes what the stack's apps share on AWS, and their hosts. Without an app: the roles of the repository's workflows alone,
 * which a stack whose state is on AWS needs, too. Loaded only by stacks that ask for either.
 */
export async function openEc2(
  apps: readonly ResolvedApp[],
  settings: Ec2Settings,
  config: StackConfig,
): Promise<Place> {
  const { stack } = config;
  const aws = awsConnection(config);
  const hosts = hostsOf(apps, settings, aws.region);
  installGuard();
  const parent = new ComponentResource("homeport:ec2:Place", "ec2");
  const shared: Shared = {
    parent,
    settings,
    aws,
    key: new StackKey(parent, stack),
    topicIn: topics(parent, stack, settings),
  };
  const opened = await Promise.all(
    hosts.map(async (host): Promise<[string, OpenedHost]> => [
      host.name,
      await (host.settings.id === undefined ? makeHost(host, shared) : adoptHost(host, shared)),
    ]),
  );
  if (settings.snapshots !== "none" && hosts.length > 0)
    dailySnapshots(parent, { stack, regions: regionsOf(hosts), keep: settings.snapshotsKept });
  if (settings.budget !== undefined && hosts.length > 0)
    monthlyBudget(parent, { stack, usd: settings.budget, emails: settings.alarmEmails });
  const byName = new Map(opened);
  return {
    home: (app) => {
      const host = byName.get(instanceOf(app, settings) ?? "");
      if (host === undefined)
        throw new Error(`${app.declaration.name} was opened on an instance that the check refuses.`);
      return new SystemdHome(app, host.place);
    },
    outputs: apart({
      hosts: Object.fromEntries(opened.map(([name, { outputs }]) => [name, outputs])),
      ...deployers(parent, config, hosts, settings),
    }),
  };
}

/**
 * Outputs within a value keep their own secrecy: people see the addresses of `pulumi stack output ec2`, and not the keys.
 * As one output of all of them, the whole would be a secret.
 */
const apart = (value: object): Output<unknown> => output(undefined).apply(() => value);

/** The repository's roles: what they may do follows from what the stack has. */
function deployers(
  parent: ComponentResource,
  config: StackConfig,
  hosts: readonly Ec2Host[],
  settings: Ec2Settings,
): object {
  const args = githubArgs(config.stack, awsConnection(config).region, hosts, settings);
  return args === undefined ? {} : { github: githubRoles(parent, args) };
}

const regionsOf = (hosts: readonly Ec2Host[]): string[] => [...new Set(hosts.map(({ region }) => region))].sort();

/** Each region's alarms go to a topic of that region; it is made when it is first asked for. */
function topics(
  parent: ComponentResource,
  stack: string,
  { alarmEmails }: Ec2Settings,
): (region: string) => Input<string> | undefined {
  const made = new Map<string, Output<string>>();
  return (region) => {
    if (alarmEmails.length === 0) return undefined;
    const topic = made.get(region) ?? alarmTopic(parent, { region, stack, emails: alarmEmails }).arn;
    made.set(region, topic);
    return topic;
  };
}
