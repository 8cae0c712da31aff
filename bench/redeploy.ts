import { spawn } from "node:child_process";
import { join } from "node:path";
import { sleep } from "../rehearsal/host/run";
import { mustUp, type ChangedApp, type Lab } from "./support/lab";
import type { Answers, Outcome } from "./support/load";
import { digits, type Finding, type Row } from "./support/report";
import { SocketIoClient, type Talk } from "./support/socketIo";

const rate = 200;

/** Requests to an address from a process of their own, while an action runs and a second before and after. */
async function underLoad(url: string, action: () => Promise<unknown>): Promise<Outcome> {
  const argv = ["-r", "ts-node/register", join(__dirname, "support/load.ts"), url, String(rate)];
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) =>
    child.once("close", () => {
      resolve();
    }),
  );
  try {
    await sleep(3000);
    await action();
    await sleep(1000);
    child.stdin.end();
    await ended;
  } finally {
    child.kill("SIGKILL");
  }
  return JSON.parse(said) as Outcome;
}

async function redeploy(lab: Lab, app: ChangedApp, count: number): Promise<void> {
  const { stack } = await lab.fiveApps();
  for (let each = 0; each < count; each++) {
    lab.change(app);
    await mustUp(stack);
  }
}

function row(name: string, kind: string, { sent, failed, versions, latency }: Answers): Row {
  return [
    name,
    kind,
    sent,
    failed,
    Object.keys(versions).length,
    digits(latency.p50),
    digits(latency.p99),
    digits(latency.max),
  ];
}

const rows = (name: string, { kept, fresh }: Outcome): Row[] => [row(name, "kept", kept), row(name, "new", fresh)];

function reasons(name: string, { kept, fresh }: Outcome): string[] {
  const all = [...Object.entries(kept.reasons), ...Object.entries(fresh.reasons)];
  return all.length === 0 ? [] : [`${name}: ${all.map(([reason, count]) => `${count} x ${reason}`).join(", ")}`];
}

/** Requests lost while apps are redeployed under load, beside a restart of the same app's unit. */
export async function redeployUnderLoad(lab: Lab): Promise<Finding> {
  const { health, stack } = await lab.fiveApps();
  const url = (app: ChangedApp, service: string): string => new URL("/version", health[app]?.[service]).href;
  await mustUp(stack);
  const idle = await underLoad(url("catscan", "api"), () => sleep(5000));
  const catscan = await underLoad(url("catscan", "api"), () => redeploy(lab, "catscan", 3));

  const client = new SocketIoClient(`${new URL(url("tileshop", "web")).origin}/socket.io/?EIO=4&transport=websocket`);
  let talk: Talk | undefined;
  const tileshop = await underLoad(url("tileshop", "web"), () => redeploy(lab, "tileshop", 3)).finally(async () => {
    talk = await client.end();
  });

  const raw = await lab.raw();
  const exposed = await raw.expose();
  const restarted = await underLoad(`${exposed}/version`, async () => {
    for (let each = 0; each < 3; each++) {
      lab.change("catscan");
      await raw.deploy();
    }
  });
  const cases = {
    "catscan, left alone": idle,
    "catscan, 3 redeploys": catscan,
    "tileshop, 3 redeploys": tileshop,
    "catscan by hand, 3 restarts": restarted,
  };
  const gap =
    talk === undefined || talk.reconnected === 0 ? "" : `, at most ${digits(talk.longestGap)} ms without a connection`;
  return {
    title: `Redeploys at ${rate} requests a second`,
    tables: [
      {
        head: ["", "connections", "requests", "lost", "versions", "p50 ms", "p99 ms", "max ms"],
        rows: Object.entries(cases).flatMap(([name, outcome]) => rows(name, outcome)),
      },
    ],
    notes: [
      "goal: none lost",
      ...Object.entries(cases).flatMap(([name, outcome]) => reasons(name, outcome)),
      `a Socket.IO client of tileshop said ${talk?.sent ?? 0} echoes and heard ${talk?.answered ?? 0}; it was connected anew ${talk?.reconnected ?? 0} times${gap}`,
    ],
  };
}
