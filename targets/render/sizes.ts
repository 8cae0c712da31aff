import type { Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { Size } from "../../components/values/size";
import { partKey } from "./names";
import type { RenderSettings, servicePlans } from "./settings";

type ServicePlan = (typeof servicePlans)[number];

/** What plans have: https://render.com/pricing, Services. */
const offered: readonly { readonly plan: ServicePlan; readonly mib: number; readonly cpus: number }[] = [
  { plan: "starter", mib: 512, cpus: 0.5 },
  { plan: "standard", mib: 2_048, cpus: 1 },
  { plan: "pro", mib: 4_096, cpus: 2 },
  { plan: "pro_plus", mib: 8_192, cpus: 4 },
  { plan: "pro_max", mib: 16_384, cpus: 4 },
  { plan: "pro_ultra", mib: 32_768, cpus: 8 },
];

/** https://render.com/pricing, Key Value, in MiB. */
const keyValues = [
  { plan: "starter", mib: 256 },
  { plan: "standard", mib: 1_024 },
  { plan: "pro", mib: 5_120 },
  { plan: "pro_plus", mib: 10_240 },
] as const;

/**
 * The smallest plan with a service's memory; its CPUs count where it asks for cores of its own, as shared ones are shares.
 * @returns undefined where there is none so large
 */
export function planFor(
  app: Pick<ResolvedApp, "declaration" | "settings" | "stack">,
  settings: Pick<RenderSettings, "plans">,
  service: Service,
  part = service.name,
): ServicePlan | undefined {
  const chosen = settings.plans[partKey(app, part)];
  if (chosen !== undefined) return chosen;
  const { resources } = service;
  const memory = app.settings.memory[service.name] ?? resources?.memory ?? Size.mib(512);
  const mib = memory.toMib({ integral: false });
  const cpus = resources?.cpuKind === "performance" ? (resources.cpus ?? 1) : 0;
  return offered.find((one) => one.mib >= mib && one.cpus >= cpus)?.plan;
}

/** The smallest Key Value with so much memory; undefined where there is none so large. */
export const keyValuePlanFor = (size: Size): string | undefined =>
  keyValues.find(({ mib }) => mib >= size.toMib({ integral: false }))?.plan;

/** Postgres's disk in GB: 1, or a multiple of 5 (https://render.com/docs/postgresql-refresh). */
export function postgresDisk(size: Size | undefined): number {
  const gb = size?.toGib({ integral: false }) ?? 5;
  return gb <= 1 ? 1 : Math.ceil(gb / 5) * 5;
}
