import { existsSync, readFileSync, readdirSync } from "node:fs";
import { must, run } from "../../../rehearsal/host/run";
import { startOf, tagOf } from "../../../rehearsal/site-state";

/** Everything on this machine that bears a site's name. */
export async function traces(folder: string, id: string): Promise<string[]> {
  const tag = tagOf(folder, id);
  const places: [string, string][] = [
    ["link", await must(["ip", "-oneline", "link"])],
    ["namespace", await must(["ip", "netns"])],
    ["rules", await must(["nft", "list", "tables"])],
    ["loop", await must(["losetup", "--noheadings", "--list", "--output", "NAME,BACK-FILE"])],
    ["mount", readFileSync("/proc/mounts", "utf8")],
    // Others' groups come and go meanwhile, of which find(1) complains.
    ["group", (await run(["find", "/sys/fs/cgroup", "-maxdepth", "3", "-name", "homeport-*"])).stdout],
    ["nspawn", existsSync("/run/systemd/nspawn") ? (await must(["find", "/run/systemd/nspawn"])).trim() : ""],
  ];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (startOf(Number(pid)) === undefined) continue; // A zombie: ended, but not yet waited for.
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      places.push(["process", command], ["process", readFileSync(`/proc/${pid}/cgroup`, "utf8")]);
    } catch {
      continue; // It has ended.
    }
  }
  return places.flatMap(([kind, text]) =>
    text
      .split("\n")
      .filter((line) => line.includes(tag) || (["mount", "loop"].includes(kind) && line.includes(folder)))
      .map((line) => `${kind}: ${line.slice(0, 160)}`),
  );
}
