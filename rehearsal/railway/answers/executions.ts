import type { Roots } from "../../platform/graphql";
import { findInstance } from "../access";
import { cronDeployment, runCron } from "../cron";
import type { CronRun, Deployment, Token } from "../state";
import { date, dateOrNull, page, type PageArgs, type View } from "../views/pages";
import { deploymentsOf, refuse, type World } from "../world";

const viewRun = ({ id: deploymentId }: Deployment, { id, startedAt, endedAt, code }: CronRun): View => ({
  id,
  deploymentId,
  status: endedAt === undefined ? "RUNNING" : code === 0 ? "EXITED" : "CRASHED",
  createdAt: date(startedAt),
  updatedAt: date(endedAt ?? startedAt),
  completedAt: dateOrNull(endedAt),
});

/** Runs of cron services, at their times and when somebody asks. */
export function executions(world: World, token: Token): Roots {
  return {
    deploymentInstanceExecutions: ({
      input,
      ...args
    }: PageArgs & { input: { serviceId: string; environmentId: string } }) => {
      const { serviceId, environmentId } = findInstance(world, token, input.serviceId, input.environmentId);
      const all = deploymentsOf(world, serviceId, environmentId).flatMap((one) =>
        one.runs.map((run) => viewRun(one, run)).reverse(),
      );
      return page(all, args);
    },
    deploymentInstanceExecutionCreate: ({ input }: { input: { serviceInstanceId: string } }) => {
      const asked = Object.values(world.state.instances).find(({ id }) => id === input.serviceInstanceId);
      const instance = findInstance(world, token, asked?.serviceId ?? "", asked?.environmentId ?? "");
      const deployment = cronDeployment(world, instance);
      if (deployment === undefined) throw refuse("Service has no cron deployment");
      void runCron(world, deployment);
      return true;
    },
  };
}
