import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { pulumi } from "./pulumi";
import { annotate, given, SetUpError, start } from "./runner";
import { proxyScript, sshConfig, wayTo, type StackValues } from "./way";

/**
 * Prepares the way to a stack's instances of EC2, or refuses to go on where there is none, before anything is touched. ssh
 * reads its configuration from the user's own home, whatever $HOME is.
 */
async function main([stack, folder = join(userInfo().homedir, ".ssh")]: string[]): Promise<number> {
  if (stack === undefined) throw new SetUpError("usage: session.ts STACK [FOLDER]");
  const { code, stdout } = await pulumi(["config", "--json", "--stack", stack]);
  // Of a stack that can't be read, the preview says why.
  if (code !== 0) return 0;
  const way = wayTo(JSON.parse(stdout) as StackValues, given("RUNNER_ENVIRONMENT") === "github-hosted");
  if (way.kind === "open") return 0;
  if (way.kind === "closed") {
    const names = way.instances.join(" and ");
    annotate(
      "error",
      `${stack} can't be deployed from here`,
      `This run can't reach ${names} by SSH. Nothing was touched.
   why: SSH is open to the addresses of ec2:sshFrom alone, and GitHub's machines have others each time.
   fix: pulumi config set ec2:session true, and once by hand: pulumi up --stack ${stack}, as the roles get other rights;
        or run the jobs on a machine of yours whose address is in ec2:sshFrom (runs-on: self-hosted)`,
    );
    return 1;
  }
  for (const program of ["aws", "session-manager-plugin"]) {
    if (spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0) continue;
    throw new SetUpError(`This machine has no ${program}, without which no instance can be reached.
   why: GitHub's images have it (actions/runner-images); a machine of yours may not.
   fix: install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html`);
  }
  const script = join(folder, `homeport-session-${stack}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(script, proxyScript(way.regions), { mode: 0o700 });
  appendFileSync(join(folder, "config"), sshConfig(script), { mode: 0o600 });
  return 0;
}

if (require.main === module) start(main);
