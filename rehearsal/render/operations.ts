import type { Contract } from "../platform/contract";
import { without } from "../platform/without";
import * as blueprints from "./blueprints";
import * as credentials from "./credentials";
import * as deploys from "./deploys";
import * as disks from "./disks";
import * as domains from "./domains";
import * as keyValues from "./keyValues";
import { listLogs } from "./logs";
import * as metrics from "./metrics";
import type { Handler } from "./operation";
import * as owners from "./owners";
import * as postgres from "./postgres";
import * as runs from "./runs";
import * as services from "./services";
import * as variables from "./variables";

/** What answers each operation of the contract, by its id in camel case. */
export const handlersFor = (contract: Contract): Readonly<Record<string, Handler>> => ({
  ...blueprints,
  ...credentials,
  ...without(deploys, "cancelDeployOf"),
  cancelDeploy: deploys.cancelDeployOf,
  ...without(disks, "addDiskTo"),
  ...domains,
  ...without(keyValues, "bringUpKeyValue"),
  listLogs,
  ...metrics,
  ...without(owners, "ownerView", "environmentOf"),
  ...without(postgres, "bringUpPostgres"),
  ...without(runs, "lookAtCronJobs"),
  ...without(services, "serviceOf", "variablesOf", "createServiceWith", "updateServiceWith"),
  createService: services.createServiceWith(contract),
  updateService: services.updateServiceWith(contract),
  ...variables,
});

/** `create-service` as it is called here. */
export const handlerName = (operation: string): string =>
  operation.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
