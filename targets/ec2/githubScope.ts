import { bucketPattern } from "./archive";
import type { GithubArgs } from "./github";
import { usesManaged, type Ec2Host } from "./hosts";
import type { Existing } from "./policies/github";
import type { Ec2Settings } from "./settings";

/**
 * What the roles of a stack's workflows are to be made of. Pure.
 * @param region `aws:region`, for stacks without a host
 * @returns undefined where the stack names no repository
 */
export function githubArgs(
  stack: string,
  region: string,
  hosts: readonly Ec2Host[],
  settings: Ec2Settings,
): GithubArgs | undefined {
  const { repository, ...github } = settings.github ?? {};
  if (repository === undefined) return undefined;
  return {
    ...github,
    repository,
    stack,
    regions: hosts.length === 0 ? [region] : [...new Set(hosts.map((host) => host.region))].sort(),
    hosts: hosts.length > 0,
    session: settings.session,
    existing: existingOf(hosts, settings),
    buckets: hosts.flatMap(({ apps }) =>
      apps.flatMap((app) => app.declaration.buckets.map((bucket) => bucketPattern(app, bucket))),
    ),
    managed: hosts.some((host) => usesManaged(host, settings)),
  };
}

/** Things that the stack names and doesn't make. */
function existingOf(hosts: readonly Ec2Host[], { keyName }: Ec2Settings): Existing {
  const named = (of: (host: Ec2Host) => readonly (string | undefined)[]) =>
    hosts.flatMap((host) => of(host).flatMap((name) => (name === undefined ? [] : [{ region: host.region, name }])));
  const isNew = ({ settings }: Ec2Host) => settings.id === undefined;
  return {
    instances: named(({ settings }) => [settings.id]),
    openedGroups: named(({ settings }) => [settings.openIn]),
    groups: named(({ settings }) => settings.securityGroups ?? []),
    keyPairs: named((host) => (isNew(host) ? [host.settings.keyName ?? keyName] : [])),
    volumes: named(({ settings }) => [settings.volume]),
    roles: hosts.flatMap(({ settings }) => (settings.role === undefined ? [] : [settings.role])),
  };
}
