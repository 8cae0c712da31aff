import { allow, type Statement } from "../document";
import type { GithubScope } from "./scope";

/** Name of the session of AWS that the workflows take their roles with (`.github/actions/prepare`). Sessions of SSH begin with it. */
export const roleSession = "homeport";

/**
 * SSH through Session Manager, to the stack's instances and those that it has adopted, by the one document that forwards to
 * sshd (Systems Manager user guide, "Allow and control permissions for SSH connections through Session Manager" and
 * "Additional sample IAM policies for Session Manager").
 */
export function session({ partition, account, stack, session: used, existing }: GithubScope): Statement[] {
  if (!used) return [];
  const adopted = existing.instances.map(
    ({ region, name }) => `arn:${partition}:ec2:${region}:${account}:instance/${name}`,
  );
  const start = ["ssm:StartSession"];
  return [
    allow("Sessions", start, `arn:${partition}:ec2:*:${account}:instance/*`, {
      StringEquals: { "ssm:resourceTag/homeport:stack": stack },
    }),
    // AWS's own documents belong to no account.
    allow("Ssh", start, [`arn:${partition}:ssm:*:*:document/AWS-StartSSHSession`, ...adopted]),
    allow(
      "OwnSessions",
      ["ssm:ResumeSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"],
      [roleSession, "${aws:userid}"].map((owner) => `arn:${partition}:ssm:*:${account}:session/${owner}-*`),
    ),
  ];
}
