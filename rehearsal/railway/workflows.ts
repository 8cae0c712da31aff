import type { View } from "./views/pages";
import { newId, type World } from "./world";

/** Does something in the background. Asked about at once, nobody knows of it yet. */
export function requestWorkflow(world: World, task: () => Promise<void>): View {
  const id = newId();
  const workflow: World["state"]["workflows"][string] = {
    id,
    visibleAt: world.clock.now() + world.timings.workflowVisible,
    status: "Running",
  };
  world.state.workflows[id] = workflow;
  world.store.save();
  void world.clock
    .sleep(world.timings.workflow)
    .then(task)
    .then(
      () => {
        workflow.status = "Complete";
      },
      (error: unknown) => {
        workflow.status = "Error";
        workflow.error = error instanceof Error ? error.message : String(error);
      },
    )
    .finally(() => {
      world.store.save();
    });
  return { workflowId: id };
}

export function viewWorkflow(world: World, id: string): View {
  const workflow = world.state.workflows[id];
  if (workflow === undefined || world.clock.now() < workflow.visibleAt) return { status: "NotFound", error: null };
  return { status: workflow.status, error: workflow.error ?? null };
}
