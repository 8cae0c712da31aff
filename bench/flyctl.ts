/** What of an app its calls depend on. */
export interface Shape {
  readonly machines: number;
  /** Machines with a service, whose checks and ports are looked at. */
  readonly checked: number;
  readonly volumes: number;
  readonly addresses: number;
}

/** Calls that one step of `fly deploy` makes. */
interface Step {
  /** Where flyctl makes them. */
  readonly source: string;
  readonly calls: (shape: Shape) => number;
  /** Whether something that runs or is kept is changed; a lease changes nothing. */
  readonly changes: boolean;
  /** @default both */
  readonly only?: "first" | "next";
}

const once = (): number => 1;
const each = ({ machines }: Shape): number => machines;
const eachChecked = ({ checked }: Shape): number => checked;

/**
 * The calls of flyctl's rolling deploy of an image that is built already, with a release command, as its source has them:
 * github.com/superfly/flyctl at ad0172fac (August 2026), below internal. Each wait and each look at a machine's health counts
 * once, as if it ended at once; leases are never refreshed, and telemetry, builders and logs are left out. The true number is higher.
 */
const steps: readonly Step[] = [
  { source: "command/apps/create.go, before it", calls: once, changes: true, only: "first" },
  { source: "command/secrets, before it", calls: once, changes: true, only: "first" },
  { source: "command/deploy/deploy.go, GetApp", calls: once, changes: false },
  { source: "command/deploy/machines.go, ListFlyAppsMachines", calls: once, changes: false },
  { source: "command/deploy/machines.go, ListActive", calls: once, changes: false, only: "first" },
  { source: "command/deploy/machines.go, GetVolumes", calls: once, changes: false },
  { source: "command/deploy/machines.go, CreateRelease", calls: once, changes: true },
  { source: "command/deploy/machines.go, UpdateRelease to running and complete", calls: () => 2, changes: true },
  { source: "command/deploy/deploy_first.go, GetIPAssignments", calls: once, changes: false, only: "first" },
  { source: "command/deploy/deploy_first.go, AssignIP", calls: (s) => s.addresses, changes: true, only: "first" },
  { source: "command/deploy/deploy_first.go, CreateVolume", calls: (s) => s.volumes, changes: true, only: "first" },
  { source: "command/deploy/machines_releasecommand.go, Launch and Start", calls: () => 2, changes: true },
  { source: "command/deploy/machines_releasecommand.go, three waits and its exit", calls: () => 4, changes: false },
  { source: "machine/machine_set.go, AcquireLeases", calls: each, changes: false, only: "next" },
  { source: "command/deploy/machines_deploymachinesapp.go, Launch or Update", calls: each, changes: true },
  { source: "machine/leasable_machine.go, WaitForState", calls: each, changes: false },
  // 10 s of looks, 0.5, 1 and then 2 s apart at most.
  { source: "machine/leasable_machine.go, WaitForSmokeChecksToPass", calls: (s) => 6 * s.machines, changes: false },
  { source: "machine/leasable_machine.go, WaitForHealthchecksToPass", calls: eachChecked, changes: false },
  { source: "command/deploy/machines_deploymachinesapp.go, GetProcesses", calls: eachChecked, changes: false },
  { source: "machine/machine_set.go, ReleaseLeases", calls: each, changes: false },
  { source: "command/deploy/machines_deploymachinesapp.go, checkDNS", calls: once, changes: false },
];

/** How many calls flyctl makes at least, and how many of them change something. A deploy without a change is one like any other. */
export function callsOfFlyctl(deploy: "first" | "next", shape: Shape): readonly [number, number] {
  const made = steps.filter(({ only = deploy }) => only === deploy);
  const sum = (list: readonly Step[]): number => list.reduce((total, { calls }) => total + calls(shape), 0);
  return [sum(made), sum(made.filter(({ changes }) => changes))];
}
