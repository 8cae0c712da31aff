import { listOf } from "../../components/parsers";
import { didYouMean, type Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { setCommand, type StackConfig } from "../../components/settings";
import { closest } from "../../components/values/closest";
import type { PlacedApp } from "../operations";
import { checkHostKey, checkSystemdApps } from "../systemd/check";
import { awsConnection, checkAws } from "./awsConfig";
import { checkAdopted } from "./checkAdopted";
import { checkArchiveTimes, checkSharedArchives } from "./checkArchives";
import { checkMade } from "./checkMade";
import { checkGithub } from "./githubCheck";
import { declaredMemory, hostBase, hostsOf, instanceOf, type Ec2Host } from "./hosts";
import { removePath, setPath } from "./setPath";
import { ec2Settings, type Ec2Settings } from "./settings";

/** Everything that keeps these apps from running on EC2. Pure: AWS isn't asked. */
export function checkEc2(apps: readonly ResolvedApp[], settings: Ec2Settings, config: StackConfig): Problem[] {
  const { region } = awsConnection(config);
  const hosts = hostsOf(apps, settings, region);
  return [
    ...checkAws(config),
    ...apps.flatMap((app) => checkPlace(app, settings)),
    ...apps.flatMap(checkArchiveTimes),
    ...checkSharedArchives(apps),
    ...hosts.flatMap((host) => [
      ...checkName(host),
      ...(host.settings.id === undefined ? checkMade(host) : checkAdopted(host)),
      ...checkHostKey(`ec2:instances.${host.name}.hostKey`, host.settings.hostKey),
      ...checkMemory(host),
      ...checkSchedule(host),
    ]),
    ...checkTwice(hosts),
    ...checkBudget(settings),
    ...checkGithub(settings, apps.length > 0),
    ...checkSystemdApps(hosts.flatMap((host) => host.apps.map((app) => ({ app, host: placeholder(host, settings) })))),
  ];
}

/** What keeps an app from having an instance. */
export function checkPlace(app: Pick<PlacedApp, "declaration" | "settings">, settings: Ec2Settings): Problem[] {
  const { name } = app.declaration;
  const names = Object.keys(settings.instances);
  if (instanceOf(app, settings) !== undefined) return [];
  if (names.length === 0) {
    return [
      {
        where: "ec2:instances",
        what: "No instance is configured.",
        why: ec2Settings.instances.about,
        fix:
          `${setPath(name, "type", "t3.micro")} for a new one, ` +
          `or ${setPath(name, "id", "i-0123456789abcdef0")} for one that exists`,
      },
    ];
  }
  const wanted = app.settings.host;
  const near = wanted === undefined ? undefined : closest(wanted, names);
  return [
    {
      where: `${name}:host`,
      what:
        wanted === undefined
          ? "There are several instances, and the stack doesn't say which one the app runs on."
          : `There is no instance "${wanted}"${didYouMean(near)}`,
      fix: `${setCommand(`${name}:host`, false, near ?? names[0])} (${listOf(names)}), or a new one: ${setPath(wanted ?? name, "type", "t3.micro")}`,
    },
  ];
}

/** Names stand in tags, names of resources and metrics. */
function checkName({ name, settings }: Ec2Host): Problem[] {
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= 24) return [];
  return [
    {
      where: `ec2:instances.${name}`,
      what: "An instance's name has lower-case letters, digits and single dashes, at most 24 of them.",
      fix: `rename it in the stack's file${settings.id === undefined ? " before it is made" : ""}`,
    },
  ];
}

function checkMemory(host: Ec2Host): Problem[] {
  const has = host.type?.memory;
  if (has === undefined || host.type === undefined) return [];
  const needs = host.apps.map((app) => ({ app, memory: declaredMemory({ ...host, apps: [app] }) }));
  const total = declaredMemory(host);
  if (total.compare(has) <= 0) return [];
  const parts = needs.map(({ app, memory }) => `${app.declaration.name} ${memory.toString()}`);
  return [
    {
      where: `ec2:instances.${host.name}.type`,
      what: `A ${host.type.name} has ${has.toString()} of memory, and its apps ask for ${total.toString()} (${parts.join(", ")}).`,
      why: "Under load the kernel would end one of them.",
      fix:
        `take a larger type (https://aws.amazon.com/ec2/instance-types/), or give less: ` +
        `pulumi config set --path ${needs[0]?.app.declaration.name ?? "APP"}:memory.SERVICE '512 MiB'`,
    },
  ];
}

function checkSchedule({ name, live, settings }: Ec2Host): Problem[] {
  const { schedule } = settings;
  if (schedule === undefined) return [];
  const where = `ec2:instances.${name}.schedule`;
  const lacking = (["stop", "start"] as const).filter((one) => schedule[one] === undefined);
  const problems: Problem[] = lacking.map((one) => ({
    where: `${where}.${one}`,
    what: `The schedule doesn't say when to ${one} the instance.`,
    fix: setPath(name, `schedule.${one}`, one === "stop" ? "19:00" : "07:00"),
  }));
  if (schedule.stop !== undefined && schedule.stop === schedule.start) {
    problems.push({
      where,
      what: "The instance would be stopped and started at the same time.",
      fix: setPath(name, "schedule.start", "07:00"),
    });
  }
  if (live && schedule.inLive !== true) {
    problems.push({
      where,
      what: "A live stack's instance would be stopped by the clock.",
      why: "Nobody reaches its apps, and none of its jobs runs, while it is stopped.",
      fix: `${removePath(name, "schedule")}, or if that is wanted: ${setPath(name, "schedule.inLive", "true")}`,
    });
  }
  return problems;
}

/** One instance or disk under two names would be deployed to, or attached, twice. */
function checkTwice(hosts: readonly Ec2Host[]): Problem[] {
  const seen = new Map<string, string>();
  return hosts.flatMap(({ name, settings }) =>
    (["id", "volume"] as const).flatMap((field): Problem[] => {
      const value = settings[field];
      if (value === undefined) return [];
      const other = seen.get(value);
      seen.set(value, other ?? name);
      if (other === undefined) return [];
      return [
        {
          where: `ec2:instances.${name}.${field}`,
          what: `"${other}" and "${name}" both name ${value}.`,
          fix: `give both apps the one instance: ${setCommand("APP:host", false, other)}`,
        },
      ];
    }),
  );
}

function checkBudget({ budget, alarmEmails }: Ec2Settings): Problem[] {
  if (budget === undefined || alarmEmails.length > 0) return [];
  return [
    {
      where: "ec2:budget",
      what: "There is a budget, and nobody to be written to.",
      fix: "pulumi config set --path 'ec2:alarmEmails[0]' ops@example.com",
    },
  ];
}

/** A host as far as it is known before it is there, for what is checked of ports and domains. */
const placeholder = (host: Ec2Host, settings: Ec2Settings) => ({
  ...hostBase(host, settings),
  connection: { address: "", port: 22, user: host.user, hostKey: "" },
  publicAddress: "",
});
