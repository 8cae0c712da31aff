import { fingerprint, SourceError, type Fingerprint, type Source } from "../drivers/source";
import type { Target } from "../targets/target";
import type { App } from "./app";
import { appSettings, domainSettings } from "./appSettings";
import { checkCapabilities } from "./check/capabilities";
import { noEnvironment, noTarget, unknownApps } from "./check/choices";
import { checkDeclaration } from "./check/declaration";
import { checkFields } from "./check/fields";
import { checkTableKeys } from "./check/tableKeys";
import type { AppDeclaration, Service, StackSource } from "./declaration";
import { declareApp, type Declared } from "./declare";
import type { Environment } from "./environment";
import { distinct, type Problem } from "./problems";
import { resolveEnv, type ResolvedEnv } from "./resolve";
import type { ResolvedApp, StackSettings } from "./resolvedApp";
import { readSettings, setCommand, unknownKeys, type StackConfig } from "./settings";
import { objectStoreSettings, stackSettings } from "./stackSettings";
import { env } from "./variables";

export interface StackInput {
  readonly apps: readonly App[];
  readonly targets: readonly Target[];
  readonly config: StackConfig;
  /** Folder that relative source paths are read from. */
  readonly cwd: string;
}

export interface StackOutcome {
  readonly environment: Environment;
  readonly apps: readonly ResolvedApp[];
  /** Names of declared apps that `homeport:apps` leaves out. */
  readonly left: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Decides what a stack is to have, and finds everything that keeps it from being deployed. It reads sources (a folder's
 * files, a repository's refs) and touches nothing.
 */
export async function resolveStack(input: StackInput): Promise<StackOutcome> {
  const { config, targets } = input;
  const { values, problems } = readSettings("homeport", stackSettings, config);
  const objectStore = readSettings("s3", objectStoreSettings, config);
  problems.push(...objectStore.problems);
  if (values.environment === undefined && !config.entries.has("homeport:environment")) {
    problems.push(noEnvironment(config.stack));
  }
  const environment = values.environment ?? "dev";
  const declared = input.apps.map((app) => declareApp(app, environment));
  problems.push(...unknownKeys(config, knownKeys(declared, targets)));
  for (const target of targets) problems.push(...readSettings(target.name, target.settings, config).problems);

  const wanted = wantedApps(declared, values.apps, problems);
  const shared: StackSettings = {
    alertWebhook: values.alertWebhook,
    pingUrl: values.pingUrl,
    releasesKept: values.releasesKept,
    objectStore: objectStore.values,
  };
  const apps = (
    await Promise.all(wanted.map((app) => resolveApp(app, { ...input, environment, shared, problems })))
  ).filter((app) => app !== undefined);
  for (const target of targets) {
    const here = apps.filter((app) => app.target === target);
    if (here.length > 0 || target.wanted?.(config) === true) problems.push(...target.check(here, config));
  }
  const left = declared.flatMap(({ name }) => (values.apps?.includes(name) === false ? [name] : []));
  return { environment, apps, left, problems: distinct(problems) };
}

/** Every key of ours by namespace, for finding misspelt ones. */
function knownKeys(apps: readonly Declared[], targets: readonly Target[]): Map<string, readonly string[] | "any"> {
  return new Map<string, readonly string[] | "any">([
    ["homeport", Object.keys(stackSettings)],
    ["s3", Object.keys(objectStoreSettings)],
    ...targets.map((target) => [target.name, Object.keys(target.settings)] as const),
    // Which keys an app reads that can't be declared isn't known.
    ...apps.map(({ name, declaration }) => [name, declaration === undefined ? "any" : appKeys(declaration)] as const),
  ]);
}

function appKeys(app: AppDeclaration): string[] {
  const variables = [...app.services, ...app.jobs].flatMap((part) => Object.keys(part.env ?? {}));
  const external = app.databases.flatMap((d) => (d.engine === "external" ? [d.variable] : []));
  return [...Object.keys(appSettings), ...Object.keys(domainSettings(app)), ...variables, ...external];
}

function wantedApps(
  declared: readonly Declared[],
  names: readonly string[] | undefined,
  problems: Problem[],
): readonly AppDeclaration[] {
  problems.push(
    ...unknownApps(
      names ?? [],
      declared.map(({ name }) => name),
    ),
  );
  const wanted = declared.filter(({ name }) => names === undefined || names.includes(name));
  problems.push(...wanted.flatMap((app) => (app.declaration === undefined ? [app.problem] : [])));
  return wanted.flatMap(({ declaration }) => declaration ?? []);
}

interface AppContext extends StackInput {
  readonly environment: Environment;
  readonly shared: StackSettings;
  readonly problems: Problem[];
}

async function resolveApp(declaration: AppDeclaration, context: AppContext): Promise<ResolvedApp | undefined> {
  const { config, environment, problems } = context;
  const mistakes = [...checkFields(declaration), ...checkDeclaration(declaration)];
  problems.push(...mistakes);
  if (mistakes.length > 0) return undefined;

  const { values: settings, problems: bad } = readSettings(declaration.name, appSettings, config);
  const { values: domainValues, problems: badDomains } = readSettings(
    declaration.name,
    domainSettings(declaration),
    config,
  );
  problems.push(...bad, ...badDomains, ...checkTableKeys(declaration, settings));
  const target = findTarget(declaration.name, settings.target, context);
  if (target !== undefined) problems.push(...checkCapabilities(declaration, settings, target, context.targets));

  const envOf = (part: { env?: Service["env"] }): ResolvedEnv => {
    const { env: resolved, problems: missing } = resolveEnv(declaration.name, part.env ?? {}, config, environment);
    problems.push(...missing);
    return resolved;
  };
  const serviceEnv = Object.fromEntries(declaration.services.map((s) => [s.name, envOf(s)]));
  const jobEnv = Object.fromEntries(declaration.jobs.map((j) => [j.name, envOf(j)]));
  const externalUrls = resolveExternal(declaration, context);
  const code = await resolveCode(declaration, settings.source, context);
  if (target === undefined) return undefined;
  return {
    stack: config.stack,
    environment,
    declaration,
    target,
    settings,
    serviceEnv,
    jobEnv,
    externalUrls,
    domains: Object.fromEntries(
      declaration.domains.flatMap((domain) => {
        const name = domainValues[domain.variable];
        return typeof name === "string" ? [[domain.service.name, name]] : [];
      }),
    ),
    code,
    stackSettings: context.shared,
  };
}

function findTarget(app: string, name: string | undefined, context: AppContext): Target | undefined {
  const names = context.targets.map((target) => target.name);
  const found = context.targets.find((target) => target.name === name);
  if (found !== undefined) return found;
  context.problems.push(noTarget(app, name, names));
  return undefined;
}

function resolveExternal(app: AppDeclaration, { config, environment, problems }: AppContext): Record<string, string> {
  const urls: Record<string, string> = {};
  for (const database of app.databases) {
    if (database.engine !== "external") continue;
    const variable = env.url({ schemes: database.schemes, secret: true, about: database.about });
    const outcome = resolveEnv(app.name, { [database.variable]: variable }, config, environment);
    problems.push(...outcome.problems);
    const value = outcome.env[database.variable]?.value;
    if (value?.kind === "secret") urls[database.name] = value.value;
  }
  return urls;
}

async function resolveCode(
  app: AppDeclaration,
  override: Source | undefined,
  { cwd, problems }: AppContext,
): Promise<Record<string, { source: Source; fingerprint: Fingerprint }>> {
  const known = new Map<string, Promise<Fingerprint | undefined>>();
  const code: Record<string, { source: Source; fingerprint: Fingerprint }> = {};
  for (const service of app.services) {
    if (service.source === undefined) continue;
    const source = override === undefined ? service.source : { ...directoryOf(service.source), ...override };
    if (source.kind === "stack") {
      problems.push({
        where: `${app.name}:source`,
        what: "The stack doesn't say where the app's code is.",
        fix: setCommand(`${app.name}:source`, false, "https://github.com/you/repository#main"),
      });
      continue;
    }
    const key = JSON.stringify(source);
    const pending = known.get(key) ?? identify(app.name, source, cwd, problems);
    known.set(key, pending);
    const identity = await pending;
    if (identity !== undefined) code[service.name] = { source, fingerprint: identity };
  }
  return code;
}

/** A replaced source keeps the declared directory: the same repository, from elsewhere. */
function directoryOf(source: Source | StackSource): { directory?: string } {
  return source.directory === undefined ? {} : { directory: source.directory };
}

async function identify(
  app: string,
  source: Source,
  cwd: string,
  problems: Problem[],
): Promise<Fingerprint | undefined> {
  try {
    return await fingerprint(source, { cwd });
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    problems.push({
      where: `${app}:source`,
      what: `${error.what}: ${error.where}.`,
      why: error.why,
      fix: `${error.fix}; or take the code from elsewhere: ${setCommand(`${app}:source`, false, `../${app}`)}`,
    });
    return undefined;
  }
}
