import type { World } from "./world";

/** What plans allow: https://docs.railway.com/reference/pricing/plans */
export const plans = {
  FREE: { replicas: 1, volumeMB: 500, volumes: 1, callsAnHour: 100, callsASecond: 10 },
  HOBBY: { replicas: 6, volumeMB: 5_000, volumes: 10, callsAnHour: 1_000, callsASecond: 10 },
  PRO: { replicas: 42, volumeMB: 50_000, volumes: 20, callsAnHour: 10_000, callsASecond: 50 },
} as const;

export const planOf = (world: World, projectId: string): (typeof plans)[keyof typeof plans] => {
  const project = world.state.projects[projectId]!;
  return plans[world.state.workspaces.find((one) => one.id === project.workspaceId)!.plan];
};
