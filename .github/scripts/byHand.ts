import type { Report } from "./report";

/** The workflows' own roles, their policies and the provider that they trust, as targets/ec2/github.ts names them. */
const ownRights = /\$aws:iam\/\w+:\w+::(github(-[\w-]+)?)$/;

/** The same report, refused where the deploy would change what deploys may do: AWS would refuse that halfway. */
export function byRun(report: Report): Report {
  const names = report.changes.flatMap(({ urn }) => ownRights.exec(urn)?.[1] ?? []);
  if (report.refusal !== undefined || names.length === 0) return report;
  return {
    ...report,
    refusal: `The deploy would change what deploys from GitHub may do: ${names.join(", ")}.
   why: No run may widen its own role, so a person has to.
   fix: pulumi up --stack ${report.stack} --target '**::github*', then run all jobs of this workflow again`,
  };
}
