import { createHash } from "node:crypto";
import type { HostPlan, PlannedService } from "../plan";
import { envFile } from "./envFile";
import { releaseOf, releaseUnit, serviceUnit, unitFile, type Slot } from "./names";
import { slotPlace, type Place } from "./place";
import { releaseUnitText } from "./releaseUnit";
import { serviceUnitText } from "./serviceUnit";
import { rootFile, type InstalledFile } from "./stageFile";
import { serviceVariables } from "./variables";

/** What the start of one slot of a service needs. */
export const slotFiles = (plan: HostPlan, service: PlannedService, slot: Slot): readonly InstalledFile[] => [
  rootFile(unitFile(serviceUnit(plan, service, slot)), 0o644, serviceUnitText(plan, service, slot)),
  ...(service.release === undefined
    ? []
    : [
        rootFile(
          unitFile(releaseUnit(plan, service, slot)),
          0o644,
          releaseUnitText(plan, service, slot, service.release),
        ),
      ]),
  ...placeFiles(slotPlace(plan, service, slot), serviceVariables(plan, service)),
];

/** Variables and secret files of a place. A container's user, whoever that is, reads through a bind what the folder's mode keeps others from. */
export const placeFiles = (place: Place, variables: Readonly<Record<string, string>>): readonly InstalledFile[] => [
  rootFile(place.envFile, 0o600, envFile(variables)),
  ...place.service.secretFiles
    .filter((file) => !file.rewritten)
    .map((file) =>
      rootFile(`${place.credentials}/${file.variable}`, "image" in place.service.code ? 0o444 : 0o600, file.content),
    ),
];

/**
 * 16 hex digits that stand for everything that the running service is made of, whichever slot it is in: an equal one means
 * that nothing has to be started anew.
 */
export function serviceHash(plan: HostPlan, service: PlannedService): string {
  const rewritten = service.secretFiles.filter((file) => file.rewritten);
  const identity = [
    releaseOf(service)?.releaseId ?? null,
    service.instances,
    slotFiles(plan, service, "a"),
    rewritten.map(({ variable, content }) => [variable, content]),
  ];
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
}
