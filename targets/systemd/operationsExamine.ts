import { DriverError } from "../../drivers/error";
import type { Finding } from "../operations";
import { examineScript } from "./operationsScripts";
import { capture } from "./operationsSsh";
import type { Connection } from "./plan";

/** Looks at a host; one that can't be reached is a finding, not an error. */
export async function examineHost(connection: Connection): Promise<readonly Finding[]> {
  const begun = Date.now();
  try {
    const answer = await capture(connection, examineScript);
    return findings(answer, connection, { begun, ended: Date.now() });
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    const { what, where, why, fix } = error.parts;
    return [{ level: "problem", what: `${what} (${where}: ${why})`, fix }];
  }
}

/** What the answer to `examineScript` means. Times are milliseconds since 1970, of this machine. */
export function findings(
  answer: string,
  { address, user }: Pick<Connection, "address" | "user">,
  { begun, ended }: { readonly begun: number; readonly ended: number },
): readonly Finding[] {
  const lines = answer.split("\n").map((line) => line.split(/ +/));
  const valuesOf = (key: string): string[][] => lines.filter(([first]) => first === key).map(([, ...rest]) => rest);
  const value = (key: string): string => valuesOf(key)[0]?.join(" ") ?? "";
  const found: Finding[] = [
    { level: "ok", what: `answers with the configured key as ${user}, root's rights included, in ${ended - begun} ms` },
    value("init") === "systemd"
      ? { level: "ok", what: value("system") }
      : {
          level: "problem",
          what: `${value("system")} runs ${value("init")} as its first process, not systemd`,
          fix: "take a host that systemd runs",
        },
    clock(Number(value("clock")) * 1000, value("synchronized"), { begun, ended }),
    ...valuesOf("disk").map(disk),
  ];
  for (const [unit = ""] of valuesOf("failed")) {
    found.push({
      level: "warning",
      what: `${unit} has failed`,
      fix: `ssh ${user}@${address} journalctl -u ${unit} -n 50`,
    });
  }
  if (value("deployed") === "no") {
    found.push({ level: "warning", what: "nothing was deployed to it yet", fix: "pulumi up" });
  }
  return found;
}

/** The host looked at its clock between the two times, so that only what lies outside of them is wrong. */
function clock(there: number, synchronized: string, { begun, ended }: { begun: number; ended: number }): Finding {
  const off = there < begun ? begun - there : Math.max(0, there - ended);
  const seconds = (off / 1000).toFixed(1);
  const fix = "on the host: timedatectl set-ntp true; on this machine, too, if it is the one that is wrong";
  // Certificates, S3 signatures (15 minutes) and schedules depend on it.
  if (off > 60_000) return { level: "problem", what: `its clock is off by ${seconds} s`, fix };
  if (off > 5_000) return { level: "warning", what: `its clock is off by ${seconds} s`, fix };
  return { level: "ok", what: `its clock is right${synchronized === "yes" ? " and synchronized" : ""}` };
}

function disk([path = "", size = "", free = "", percent = ""]: string[]): Finding {
  const gib = (bytes: string): string => `${(Number(bytes) / 1024 ** 3).toFixed(1)} GiB`;
  const used = Number(percent.replace("%", ""));
  const what = `${path} has ${gib(free)} of ${gib(size)} free`;
  if (used < 90) return { level: "ok", what };
  return {
    level: used < 97 ? "warning" : "problem",
    what,
    fix: `on the host: du -xh ${path} | sort -h | tail; old backups are in /var/backups, logs in the journal`,
  };
}
