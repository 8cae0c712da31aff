import type { Problem } from "../../components/problems";
import type { Ec2Settings } from "./settings";

/**
 * What keeps the roles of the workflows from being of use.
 * @param hosts whether an app of the stack is on EC2
 */
export function checkGithub({ github }: Ec2Settings, hosts: boolean): Problem[] {
  if (github === undefined) return [];
  if (github.repository === undefined) {
    return [
      {
        where: "ec2:github.repository",
        what: "The workflows' roles are for no repository.",
        fix: "pulumi config set --path ec2:github.repository OWNER/NAME",
      },
    ];
  }
  if (hosts || github.stateBucket !== undefined || github.secretsKey !== undefined) return [];
  return [
    {
      where: "ec2:github",
      what: "No app of this stack is on ec2, and the stack doesn't say that its state is on AWS.",
      why: "The workflows' roles could do nothing, and they need none.",
      fix:
        "pulumi config set --path ec2:github.stateBucket BUCKET, that of PULUMI_BACKEND_URL, " +
        "or where the state isn't on AWS: pulumi config rm ec2:github",
    },
  ];
}
