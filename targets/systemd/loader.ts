/** What a host can be asked to do with a stage. */
export type Verb = "apply" | "delete" | "rollback";

/**
 * What runs on the host before anything of ours is there: reads a header and that many bytes of stage from stdin into a
 * private folder in memory, and runs its deploy.sh with the rest of stdin. One constant line of plain words, as the
 * login shell may be any.
 */
const loader = [
  "set -euo pipefail",
  "umask 077",
  "echo @homeport READY",
  "read -r verb bytes now trace",
  "mkdir -p /run/homeport",
  "d=$(mktemp -d /run/homeport/stage.$$.XXXXXXXX)",
  'trap "rm -rf $d" EXIT',
  "head -c $bytes >$d/stage.tar.gz",
  "tar -xzf $d/stage.tar.gz -C $d --no-same-owner --no-same-permissions",
  "cd $d",
  "HOMEPORT_NOW=$now HOMEPORT_TRACE=$trace bash ./deploy.sh $verb",
].join("; ");

/**
 * The remote command line. Other users than root go through sudo, which forgets who has connected; the packet filter
 * needs to know.
 */
export function remoteCommand(user: string): string {
  const run = `bash -c '${loader}'`;
  return user === "root" ? `exec ${run}` : `exec sudo -n env SSH_CONNECTION="$SSH_CONNECTION" ${run}`;
}

/** The line before the stage: what to do, the stage's bytes, this side's time in seconds, and whether to time the steps. */
export const header = (verb: Verb, bytes: number, trace = false, now = Date.now()): Buffer =>
  Buffer.from(`${verb} ${bytes} ${Math.floor(now / 1000)} ${trace ? 1 : 0}\n`);
