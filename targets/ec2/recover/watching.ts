import { clientOptions } from "../../../drivers/ec2/client";
import type { Candidate } from "../../recovery";
import { connectionTo } from "../awsConfig";
import { ifThere, inRegion, tagsOf, type Wanted } from "./wanted";

const optionsFor = (service: string, { aws, region }: Wanted) => clientOptions(connectionTo(aws, service, region));

export async function logGroup(wanted: Wanted): Promise<Candidate[]> {
  const { aws } = wanted;
  // The provider knows the service by both names.
  const options = optionsFor(aws.endpoints["logs"] === undefined ? "cloudwatchlogs" : "logs", wanted);
  const { CloudWatchLogsClient, DescribeLogGroupsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
  const id = wanted.text("name");
  const { logGroups = [] } = await new CloudWatchLogsClient(options).send(
    new DescribeLogGroupsCommand({ logGroupNamePrefix: id }),
  );
  const remove = `aws logs delete-log-group --log-group-name ${id} --region ${wanted.region}`;
  return logGroups.some(({ logGroupName }) => logGroupName === id) ? [{ id, ...inRegion(id, wanted), remove }] : [];
}

/** AWS gives it an id of its own; description and tags are ours. */
export async function lifecyclePolicy(wanted: Wanted): Promise<Candidate[]> {
  const options = optionsFor("dlm", wanted);
  const { DLMClient, GetLifecyclePoliciesCommand } = await import("@aws-sdk/client-dlm");
  const { Policies = [] } = await new DLMClient(options).send(new GetLifecyclePoliciesCommand({}));
  const tags = Object.entries(tagsOf(wanted));
  return Policies.filter(
    ({ Description, Tags }) =>
      Description === wanted.text("description") && tags.every(([key, value]) => Tags?.[key] === value),
  ).map(({ PolicyId: id = "" }) => ({
    id,
    ...inRegion(id, wanted),
    remove: `aws dlm delete-lifecycle-policy --policy-id ${id} --region ${wanted.region}`,
  }));
}

export async function budget(wanted: Wanted): Promise<Candidate[]> {
  const [own, sts] = [optionsFor("budgets", wanted), optionsFor("sts", wanted)];
  const { BudgetsClient, DescribeBudgetCommand } = await import("@aws-sdk/client-budgets");
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  const { Account: AccountId } = await new STSClient(sts).send(new GetCallerIdentityCommand({}));
  const BudgetName = wanted.text("name");
  const found = await ifThere(new BudgetsClient(own).send(new DescribeBudgetCommand({ AccountId, BudgetName })));
  const remove = `aws budgets delete-budget --account-id ${AccountId} --budget-name ${BudgetName}`;
  return found?.Budget === undefined ? [] : [{ id: `${AccountId}:${BudgetName}`, remove }];
}

export async function schedule(wanted: Wanted): Promise<Candidate[]> {
  const options = optionsFor("scheduler", wanted);
  const { GetScheduleCommand, SchedulerClient } = await import("@aws-sdk/client-scheduler");
  const Name = wanted.text("name");
  const GroupName = wanted.text("groupName") || "default";
  const found = await ifThere(new SchedulerClient(options).send(new GetScheduleCommand({ Name, GroupName })));
  const id = `${GroupName}/${Name}`;
  const remove = `aws scheduler delete-schedule --group-name ${GroupName} --name ${Name} --region ${wanted.region}`;
  return found === undefined ? [] : [{ id, ...inRegion(id, wanted), remove }];
}
