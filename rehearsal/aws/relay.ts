import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { sleep } from "../host/run";
import { Emulator } from "./emulator";
import type { ExistingInstance } from "./existing";
import { makeExisting } from "./existing";
import type { Fault } from "./faults";
import { Faults } from "./faults";
import type { FleetPlan } from "./fleet";
import { Fleet } from "./fleet";
import { metadataServer } from "./metadata";
import type { AwsCall, Refusal } from "./protocol";
import { actionIsInBody, readCall, writeRefusal } from "./protocol";

/** What the relay's process is told, in relay.json of its folder. */
export interface RelayPlan extends FleetPlan {
  readonly address: string;
  readonly port: number;
  readonly emulator: { readonly host: string; readonly port: number };
}

/** A call that passed the relay, for tests that ask what was called. */
export interface SeenCall {
  readonly service: string;
  readonly region: string;
  readonly action: string;
  readonly status: number;
}

interface Passed {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
}

const mostSeen = 20_000;
const hopByHop = new Set(["connection", "keep-alive", "transfer-encoding", "expect"]);

/** Header names and values as they came, without those that are between two neighbours. */
function onward(raw: readonly string[]): string[] {
  return raw.flatMap((name, index) =>
    index % 2 === 0 && !hopByHop.has(name.toLowerCase()) ? [name, raw[index + 1] ?? ""] : [],
  );
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The server between AWS's clients and moto, which makes instances, volumes and addresses real. */
class Relay {
  private readonly faults = new Faults();
  private readonly seen: SeenCall[] = [];
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly emulator: Emulator,
    private readonly fleet: Fleet,
  ) {}

  async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url ?? "/";
    if (path.startsWith("/homeport/")) return this.control(path, incoming, response);
    const head = { method: incoming.method ?? "GET", path, headers: incoming.headers };
    const body = actionIsInBody(head) ? await readBody(incoming) : undefined;
    const call = readCall(head, body?.toString());
    const fate = this.faults.take(call);
    if (typeof fate === "object") incoming.resume();
    const passed =
      typeof fate === "object"
        ? refused(call, fate)
        : await this.act(call, async () => understood(call, await this.pass(incoming, body))).catch((error: unknown) =>
            failed(call, error),
          );
    this.note(call, passed.status);
    if (fate === "answer held") return;
    if (fate === "answer lost") incoming.socket.destroy();
    else response.writeHead(passed.status, passed.headers).end(passed.body);
  }

  /** Lets the hosts follow what moto says now. Facts are read in turn: none is followed by one that is older. */
  private async follow(): Promise<void> {
    const turn = this.turn.then(async () => {
      const facts = await this.emulator.facts();
      return { done: this.fleet.follow(facts) };
    });
    this.turn = turn.catch(() => undefined);
    await (
      await turn
    ).done;
  }

  private note({ service, region, action }: AwsCall, status: number): void {
    this.seen.push({ service, region, action, status });
    if (this.seen.length > mostSeen) this.seen.shift();
  }

  /** Hands a request to moto as it came, and its answer back. */
  private pass(incoming: IncomingMessage, body: Buffer | undefined): Promise<Passed> {
    const { host, port } = this.emulator;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host,
          port,
          method: incoming.method,
          path: incoming.url,
          headers: onward(incoming.rawHeaders),
          setHost: false,
        },
        (answer) => {
          readBody(answer).then((text) => {
            resolve({ status: answer.statusCode ?? 502, headers: onward(answer.rawHeaders), body: text });
          }, reject);
        },
      );
      outgoing.on("error", reject);
      if (body === undefined) incoming.pipe(outgoing);
      else outgoing.end(body);
    });
  }

  /** Passes a call on; what EC2 was told to change is then done here, before the caller hears of it. */
  private async act(call: AwsCall, pass: () => Promise<Passed>): Promise<Passed> {
    const { service, action, parameters } = call;
    if (service !== "ec2") return pass();
    if (action === "DetachVolume" && parameters.get("Force") !== "true") {
      const volume = parameters.get("VolumeId") ?? "";
      if (this.fleet.isMounted(volume)) return this.detachOnceUnmounted(call, volume);
    }
    const passed = await pass();
    if (passed.status !== 200) return passed;
    if (action === "GetConsoleOutput") return this.withConsole(parameters.get("InstanceId") ?? "", passed);
    if (/^(Describe|Get|List)/.test(action)) return passed;
    await this.follow();
    if (action === "RebootInstances") {
      for (const [name, id] of parameters) if (name.startsWith("InstanceId")) this.fleet.reboot(id);
    }
    return passed;
  }

  private withConsole(id: string, passed: Passed): Passed {
    const text = this.fleet.consoleOf(id);
    const output = text === undefined ? "" : `<output>${Buffer.from(text).toString("base64")}</output>`;
    return replaceBody(passed, passed.body.toString().replace(/<output>[^]*<\/output>|<output\s*\/>/, output));
  }

  /** A volume that is mounted stays `detaching` until it is unmounted: docs.aws.amazon.com, "Detach an Amazon EBS volume". */
  private detachOnceUnmounted({ region, parameters }: AwsCall, volume: string): Passed {
    const detach = async (): Promise<void> => {
      for (let seconds = 0; seconds < 600 && this.fleet.isMounted(volume); seconds++) await sleep(1000);
      if (this.fleet.isMounted(volume)) return;
      const more = parameters.get("InstanceId");
      await this.emulator.ec2(region, "DetachVolume", {
        VolumeId: volume,
        ...(more === null ? {} : { InstanceId: more }),
      });
      await this.follow();
    };
    void detach().catch((error: unknown) => {
      console.error(`${volume}: ${String(error)}`);
    });
    const xml = `<DetachVolumeResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>rehearsal</requestId><volumeId>${volume}</volumeId><instanceId>${parameters.get("InstanceId") ?? ""}</instanceId><status>detaching</status></DetachVolumeResponse>`;
    return { status: 200, headers: ["content-type", "text/xml"], body: Buffer.from(xml) };
  }

  /** What `Aws` of this machine asks: see aws.ts. */
  private async control(path: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await readBody(incoming)).toString();
    const asked: unknown = text === "" ? undefined : JSON.parse(text);
    const said = await this.steer(path.slice("/homeport/".length), asked);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(said ?? {}));
  }

  private async steer(what: string, asked: unknown): Promise<unknown> {
    switch (what) {
      case "faults":
        this.faults.add(asked as Fault);
        return undefined;
      case "faults/clear":
        this.faults.clear();
        return undefined;
      case "calls":
        return this.seen;
      case "calls/clear":
        this.seen.length = 0;
        return undefined;
      case "move": {
        const { region, parameter } = asked as { region: string; parameter: string };
        return { image: await this.emulator.move(region, parameter) };
      }
      case "existing": {
        const { wish, publicKey } = asked as { wish: ExistingInstance; publicKey: string };
        await makeExisting(this.emulator, wish, publicKey);
        await this.follow();
        return undefined;
      }
      case "booted":
        return { machine: await this.fleet.booted((asked as { id: string }).id) };
      default:
        throw new Error(`The relay knows no ${what}.`);
    }
  }
}

/** moto answers what it doesn't know by a page for people; clients take that for a passing trouble and try on. */
function understood(call: AwsCall, passed: Passed): Passed {
  if (passed.status < 500 || !/^\s*<!doctype html/i.test(passed.body.toString())) return passed;
  const message = `moto doesn't know ${call.action} of ${call.service}, or failed at it: see its moto.log.`;
  return refused(call, { status: 501, code: "NotImplemented", message });
}

/** AWS's answer to a mistake of the rehearsal's own, which its log tells. */
function failed(call: AwsCall, error: unknown): Passed {
  console.error(`${call.action}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return refused(call, { status: 500, code: "InternalError", message: "The rehearsal failed: see its relay.log." });
}

function refused(call: AwsCall, refusal: Refusal): Passed {
  const { type, body } = writeRefusal(call, refusal);
  return { status: refusal.status, headers: ["content-type", type], body: Buffer.from(body) };
}

function replaceBody(passed: Passed, body: string): Passed {
  const headers = passed.headers.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() !== "content-length" ? [name, passed.headers[index + 1] ?? ""] : [],
  );
  return { ...passed, headers, body: Buffer.from(body) };
}

async function main(folder: string): Promise<void> {
  const plan = JSON.parse(readFileSync(join(folder, "relay.json"), "utf8")) as RelayPlan;
  const log = (line: string): void => {
    console.log(`${new Date().toISOString()} ${line}`);
  };
  const emulator = new Emulator(plan.emulator.host, plan.emulator.port);
  const fleet = new Fleet(plan, log);
  await fleet.follow(await emulator.facts());
  const relay = new Relay(emulator, fleet);
  const server = createServer((incoming, response) => {
    relay.answer(incoming, response).catch((error: unknown) => {
      log(`${incoming.method ?? ""} ${incoming.url ?? ""}: ${error instanceof Error ? (error.stack ?? "") : ""}`);
      const message = error instanceof Error ? error.message : String(error);
      if (!response.headersSent) response.writeHead(500, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: message }));
    });
  });
  // An answer may wait for a host to go down, and a test may hold a connection for as long as it likes.
  server.requestTimeout = 0;
  metadataServer({
    at: async (address) =>
      (await emulator.facts()).instances.find((one) => one.address === address && one.state === "running"),
    credentials: (instance, role) => emulator.credentials(instance, role),
  }).listen(plan.metadataPort, plan.address);
  server.listen(plan.port, plan.address);
}

const folder = process.argv[2];
if (require.main === module && folder !== undefined) {
  main(folder).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
