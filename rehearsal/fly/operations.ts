import { without } from "../platform/without";
import * as addresses from "./addresses";
import * as apps from "./apps";
import * as certificates from "./certificates";
import * as leases from "./leases";
import * as machines from "./machines";
import * as metadata from "./metadata";
import type { Handler } from "./operation";
import * as placements from "./placements";
import * as postgres from "./postgres";
import * as postgresBackups from "./postgresBackups";
import * as postgresContents from "./postgresContents";
import * as secrets from "./secrets";
import * as volumes from "./volumes";
import { waitMachine } from "./waiting";

/** What answers each operation of the contract, by its id. */
export const handlers: Readonly<Record<string, Handler>> = {
  ...without(apps, "statusOf"),
  ...without(machines, "followRuntime", "stopMachineNow"),
  stopMachine: machines.stopMachineNow,
  waitMachine,
  ...without(leases, "leaseOf", "requireLease", "grantLease"),
  ...metadata,
  ...volumes,
  updateVolumeByPost: volumes.updateVolume,
  ...secrets,
  ...without(addresses, "assignAddress"),
  ...certificates,
  ...without(placements, "regions"),
  ...without(postgres, "viewCluster", "clusterOf", "readyCluster", "addCluster"),
  ...postgresBackups,
  ...postgresContents,
};
