import type { Deployment, DeploymentStatus } from "./state";
import { changed, type World } from "./world";

/** Whether a deployment's image isn't there yet. */
export const isBuilding = ({ status }: Deployment): boolean => ["QUEUED", "INITIALIZING", "BUILDING"].includes(status);

export const isOver = ({ status }: Deployment): boolean => ["FAILED", "CRASHED", "REMOVED", "SKIPPED"].includes(status);

export function enter(world: World, deployment: Deployment, status: DeploymentStatus): void {
  deployment.status = status;
  deployment.statusUpdatedAt = world.clock.now();
  changed(world, deployment);
}
