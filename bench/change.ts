import { RehearsalError } from "../rehearsal/host/run";
import { AnsiblePeer } from "./peers/ansible";
import { mustUp, type ChangedApp, type FiveApps, type Lab } from "./support/lab";
import { phasesOf, type Phase, type TimedLine } from "./support/phases";
import { digits, times, type Finding, type Table } from "./support/report";
import { interleave, sampleOf, secondsOf, type Sample } from "./support/stats";

/** What a service's `/version` says, by the address of its health check. */
async function versionAt(health: string | undefined): Promise<string> {
  if (health === undefined) throw new RehearsalError("The service has no address: look at `pulumi stack output`.");
  const answer = (await (await fetch(new URL("/version", health))).json()) as { version: string };
  return answer.version;
}

/** Changes apps, times what brings them up, and makes sure that the new versions are what answers. */
async function timed(lab: Lab, five: FiveApps, changed: readonly ChangedApp[]): Promise<number> {
  const versions = changed.map((app) => [app, lab.change(app)] as const);
  const seconds = await secondsOf(() => mustUp(five.stack));
  for (const [app, version] of versions) {
    const answered = await versionAt(five.health[app]?.api);
    if (answered !== version) throw new RehearsalError(`${app} answers ${answered} after an \`up\` of ${version}.`);
  }
  return seconds;
}

async function phases(lab: Lab, { stack }: FiveApps): Promise<Phase[]> {
  lab.change("catscan");
  const lines: TimedLine[] = [];
  const started = performance.now();
  const at = (): number => (performance.now() - started) / 1000;
  await mustUp(stack, { env: { HOMEPORT_TRACE: "1" }, onLine: (text) => lines.push({ at: at(), text }) });
  return phasesOf(lines, "catscan", at());
}

/** The medians of several runs' phases, in their order. */
function table(runs: readonly (readonly Phase[])[]): Table {
  const rows = (runs[0] ?? []).map(([name]) => {
    const each = runs.map((run) => run.find(([other]) => other === name)?.[1] ?? Number.NaN);
    return [name, sampleOf(each)] as const;
  });
  return { head: ["one changed app: where the time goes", "ms"], rows };
}

/** A changed app until it answers, beside the same by hand and by Ansible. */
export async function change(lab: Lab): Promise<Finding> {
  const five = await lab.fiveApps();
  const raw = await lab.raw();
  await mustUp(five.stack);
  const one = await interleave(5, {
    "no-op `up`": () => secondsOf(() => mustUp(five.stack)),
    "`up`, catscan changed": () => timed(lab, five, ["catscan"]),
    "raw: tar over ssh, restart, poll health": () => {
      lab.change("catscan");
      return secondsOf(() => raw.deploy());
    },
  });
  // What the peer's rounds changed is no part of the next comparison.
  await mustUp(five.stack);
  const code = { catscan: lab.codeOf("catscan"), clausea: lab.codeOf("clausea") };
  const ansible = await AnsiblePeer.open(five.host, lab.folder, code, lab.log);
  lab.onClose(() => ansible.close());
  const two = await interleave(3, {
    "`up`, catscan and clausea changed": () => timed(lab, five, ["catscan", "clausea"]),
    "Ansible, the same two services": () => {
      lab.change("catscan");
      lab.change("clausea");
      return secondsOf(() => ansible.deploy());
    },
  });
  await mustUp(five.stack);
  const rounds: Phase[][] = [];
  for (let round = 0; round < 3; round++) rounds.push(await phases(lab, five));

  const samples = Object.entries({ ...one, ...two }).map(([name, values]): [string, Sample] => [
    name,
    sampleOf(values),
  ]);
  const [none = [], changed = [], hand = []] = Object.values(one);
  const [both = [], playbook = []] = Object.values(two);
  // Round by round: neighbours in time met the same machine.
  const extra = sampleOf(changed.map((seconds, round) => seconds - (none[round] ?? Number.NaN)));
  return {
    title: "A changed app until it answers",
    tables: [{ head: ["", "seconds"], rows: samples }, table(rounds)],
    notes: [
      `over the no-op of the same round the change takes ${digits(extra.median)} s (${digits(extra.min)} to ${digits(extra.max)}), ` +
        `${digits(times(extra, sampleOf(hand)))} times the raw way (goal: at most 2)`,
      `Ansible takes ${digits(times(sampleOf(playbook), sampleOf(both)))} times the whole \`up\` (goal: at least 5)`,
      "the `up` looks at all five apps and also redeploys clausea's dashboard; Ansible's services have no hardening, proxy, second slot, jobs or backups",
    ],
  };
}
