import type { HostPlan, PlannedService } from "../plan";
import { config, type Slot } from "./names";

/** Which version of a service a process belongs to, and where its code, variables and credentials are. */
export interface Place {
  readonly service: PlannedService;
  /** Link to the release, entered by `cd -P`. */
  readonly link: string;
  readonly envFile: string;
  /** Folder of the secret files that the app only reads. */
  readonly credentials: string;
}

/** One slot's version. Its files are installed for it alone, just before it starts. */
export const slotPlace = (plan: HostPlan, service: PlannedService, slot: Slot): Place => ({
  service,
  link: `/opt/${plan.id}/slots/${service.name}-${slot}`,
  envFile: config(plan, `env/${service.name}.${slot}.env`),
  credentials: config(plan, `credentials/${service.name}.${slot}`),
});

/** The version that serves, for jobs and commands. */
export const activePlace = (plan: HostPlan, service: PlannedService): Place => ({
  service,
  link: `/opt/${plan.id}/active/${service.name}`,
  envFile: config(plan, `env/${service.name}.env`),
  credentials: config(plan, `credentials/${service.name}`),
});

/** As `activePlace`, with the job's variables besides. */
export const jobPlace = (plan: HostPlan, service: PlannedService, job: string): Place => ({
  ...activePlace(plan, service),
  envFile: config(plan, `env/job-${job}.env`),
});

/** Written by the host: `PORT=` of the instance whose number is `%i`. */
export const portFile = (plan: HostPlan, service: PlannedService, slot: Slot): string =>
  config(plan, `ports/${service.name}-${slot}-%i`);
