import type { App } from "../components/app";
import { appSettings, domainSettings } from "../components/appSettings";
import { noEnvironment, noTarget, unknownApps } from "../components/check/choices";
import type { AppDeclaration } from "../components/declaration";
import { declareApp, type Declared } from "../components/declare";
import type { Environment } from "../components/environment";
import type { Problem } from "../components/problems";
import { readSettings, type StackConfig } from "../components/settings";
import { stackSettings } from "../components/stackSettings";
import type { PlacedApp } from "../targets/operations";
import type { Target } from "../targets/target";
import { ConfigProblems } from "./errors";

/** An app of the stack: placed, or what keeps it from being. */
export interface StackApp {
  readonly declaration: AppDeclaration;
  /** The target's name as the stack has it. */
  readonly target: string | undefined;
  readonly placed: PlacedApp | undefined;
  readonly problems: readonly Problem[];
}

/** An app whose file throws, so that nothing is known of it. */
export type BrokenApp = Exclude<Declared, { readonly declaration: AppDeclaration }>;

export interface StackApps {
  readonly config: StackConfig;
  readonly environment: Environment;
  /** Those that the stack deploys. */
  readonly apps: readonly StackApp[];
  /** Those that it would deploy, were their files right. */
  readonly broken: readonly BrokenApp[];
  /** Names of all declared ones. */
  readonly declared: readonly string[];
  /** What is wrong with the choice of apps. */
  readonly problems: readonly Problem[];
}

/**
 * Where a stack puts its apps. What one app lacks keeps no other from being looked after, and code and variables aren't
 * looked at: that is for a deploy.
 */
export function placeApps(apps: readonly App[], targets: readonly Target[], config: StackConfig): StackApps {
  const { values, problems } = readSettings("homeport", stackSettings, config);
  const lacking = values.environment === undefined;
  const shared = problems.filter(({ where }) => where === "homeport:environment" || where === "homeport:apps");
  if (lacking && shared.length === 0) {
    shared.push(noEnvironment(config.stack));
  }
  if (shared.length > 0) throw new ConfigProblems(config.stack, shared);
  const environment = values.environment ?? "dev";
  const declared = apps
    .filter(({ name }) => values.apps === undefined || values.apps.includes(name))
    .map((app) => declareApp(app, environment));
  return {
    config,
    environment,
    apps: declared.flatMap(({ declaration }) =>
      declaration === undefined ? [] : [placeApp(declaration, environment, targets, config)],
    ),
    broken: declared.flatMap((one) => (one.declaration === undefined ? [one] : [])),
    declared: apps.map(({ name }) => name),
    problems: choiceProblems(
      values.apps ?? [],
      apps.map(({ name }) => name),
    ),
  };
}

/** A stack without any app is a mistake, too: what looks after nothing would find all well. */
function choiceProblems(wanted: readonly string[], known: readonly string[]): Problem[] {
  if (known.length === 0)
    return [{ where: "apps/index.ts", what: "It lists no app.", fix: "Declare one in a file of apps/, and list it." }];
  return unknownApps(wanted, known);
}

function placeApp(
  declaration: AppDeclaration,
  environment: Environment,
  targets: readonly Target[],
  config: StackConfig,
): StackApp {
  const { name } = declaration;
  const { values: settings, problems } = readSettings(name, appSettings, config);
  const domains = readSettings(name, domainSettings(declaration), config);
  problems.push(...domains.problems);
  const target = targets.find((one) => one.name === settings.target);
  const names = targets.map((one) => one.name);
  if (target === undefined) {
    problems.push(noTarget(name, settings.target, names));
  } else {
    problems.push(...readSettings(target.name, target.settings, config).problems);
  }
  const hosts = declaration.domains.flatMap((domain): [string, string][] => {
    const host = domains.values[domain.variable];
    return typeof host === "string" ? [[domain.service.name, host]] : [];
  });
  const placed =
    target === undefined
      ? undefined
      : { stack: config.stack, environment, declaration, target, settings, domains: Object.fromEntries(hosts) };
  return { declaration, target: settings.target, placed, problems };
}
