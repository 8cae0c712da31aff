import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Machine } from "../../../targets/fly/api/types";
import type { Own } from "../../../targets/fly/scheduler/own";
import { Watch } from "../../../targets/fly/scheduler/watch";
import { planOf } from "./plans";

const minute = 60_000;
const start = Date.UTC(2026, 0, 1, 12);

type Change = Omit<Partial<Machine>, "config"> & {
  readonly metadata?: Record<string, string>;
  readonly idle?: boolean;
};

function machine(id: string, group: string, slot: number, { metadata, idle, ...change }: Change = {}): Machine {
  return {
    id,
    state: "started",
    region: "fra",
    host_status: "ok",
    checks: [{ name: "http", status: "passing" }],
    ...change,
    config: {
      image: "app",
      guest: { cpu_kind: "shared", cpus: 1, memory_mb: 256 },
      ...(idle === true ? { services: [{ autostart: true, autostop: "stop" }] as never } : {}),
      metadata: {
        fly_process_group: group,
        homeport_role: "service",
        homeport_slot: String(slot),
        homeport_state: "proven",
        homeport_deploy: new Date(start - 10 * minute).toISOString(),
        ...metadata,
      },
    },
  };
}

describe("the watch on Fly", () => {
  const got: { unit: string; state: string; log: string[]; app: string; stack: string; time: string; held: number }[] =
    [];
  let server: Server;
  let answer = 200;
  let now = start;
  let machines: Machine[] = [];
  let volumes: unknown[] = [];
  let isFailing = false;
  let calls = 0;
  let written: Record<string, string> = {};
  const lines: string[] = [];
  const own = {
    schedule: {
      app: "shop",
      stack: "prod",
      id: "shop-prod",
      watch: [
        { subject: "web", flyApp: "shop-prod", group: "web", count: 2, volumes: true },
        { subject: "worker", flyApp: "shop-prod", group: "worker", count: 1, volumes: false },
      ],
    },
    log: (line: string) => void lines.push(line),
    write: (key: string, value: string) => {
      written[key] = value;
      return Promise.resolve();
    },
    flyFor: () => ({
      machines: () => {
        calls++;
        return isFailing ? Promise.reject(new Error("The platform can't be reached.")) : Promise.resolve(machines);
      },
      call: () => {
        calls++;
        return Promise.resolve(volumes);
      },
    }),
  } as unknown as Own;
  let watch: Watch;

  before(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        if (answer === 200) got.push(JSON.parse(body) as (typeof got)[number]);
        response.statusCode = answer;
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    process.env.ALERT_WEBHOOK = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });
  after(() => {
    delete process.env.ALERT_WEBHOOK;
    server.close();
  });
  const well = (): Machine[] => [
    machine("m1", "web", 1),
    machine("m2", "web", 2),
    machine("m3", "worker", 1, { checks: [] }),
  ];
  beforeEach(() => {
    got.length = lines.length = calls = 0;
    [now, answer, machines, volumes, isFailing, written] = [start, 200, well(), [], false, {}];
    watch = new Watch(own, {});
  });
  async function looks(count: number): Promise<string[]> {
    for (let n = 0; n < count; n++) {
      await watch.look(now);
      now += 2 * minute;
    }
    return got.splice(0).map(({ unit, state, log }) => `${unit} ${state}: ${log.join(" ")}`);
  }
  const second = (change: Change): void => {
    machines = [machine("m1", "web", 1), machine("m2", "web", 2, change), ...well().slice(2)];
  };

  for (const [change, words] of [
    [{ host_status: "unreachable" }, "its host is unreachable"],
    [{ state: "stopped" }, "its state is stopped"],
    [{ checks: [{ name: "http", status: "critical", output: "refused\n" }] }, "its check is critical: refused"],
  ] as const satisfies readonly (readonly [Change, string])[]) {
    it(`tells once that ${words}, and once that it is well again`, async () => {
      assert.deepEqual(await looks(2), []);
      second(change);
      assert.deepEqual(await looks(1), [], "one look is told");
      assert.deepEqual(await looks(5), [`web bad: machine m2 (web/2): ${words}`]);
      machines = well();
      assert.deepEqual(await looks(3), ["web good: 2 as they should be (bad for 600 s)"]);
    });
  }

  it("says it in the words of every target's alerts", async () => {
    second({ state: "stopped" });
    for (let n = 0; n < 2; n++) await watch.look((now += 2 * minute));
    const { app, stack, time, held } = got[0]!;
    assert.deepEqual([app, stack, time, held], ["shop", "prod", new Date(now).toISOString(), 0]);
    assert.deepEqual(Object.keys(got[0]!).sort(), "app held host log result stack state time unit".split(" "));
  });

  it("tells of machines that are gone, and of programs that end again and again", async () => {
    machines = [machine("m1", "web", 1)];
    assert.deepEqual(await looks(3), ["web bad: 1 of 2 machines is gone", "worker bad: 1 of 1 machines is gone"]);
    machines = well();
    await looks(1);
    const told: string[] = [];
    for (let ends = 1; ends < 5; ends++) {
      const exit = (n: number) => ({
        type: "exit",
        status: "",
        timestamp: start + n,
        request: { exit_event: { exit_code: 1 } },
      });
      machines = [
        ...well().slice(0, 2),
        machine("m3", "worker", 1, { checks: [], events: [...Array(ends).keys()].map(exit) }),
      ];
      told.push(...(await looks(1)));
    }
    assert.deepEqual(told, ["worker bad: machine m3 (worker/1): it was started again, its program ended with code 1"]);
  });

  it("lets a deploy do its work for an hour, and machines that the proxy has stopped sleep", async () => {
    second({ state: "replacing", metadata: { homeport_state: "new", homeport_deploy: new Date(start).toISOString() } });
    assert.deepEqual(await looks(30), []);
    assert.deepEqual(await looks(3), ["web bad: machine m2 (web/2): its state is replacing"]);
    second({ state: "stopped", idle: true });
    assert.deepEqual(await looks(3), ["web good: 2 as they should be (bad for 240 s)"]);
  });

  it("takes a Fly that fails for no failure of the app, and says after 20 minutes that it sees nothing", async () => {
    isFailing = true;
    assert.deepEqual(await looks(10), []);
    const told = await looks(10);
    assert.deepEqual(told, ["watch bad: The platform can't be reached."]);
    isFailing = false;
    assert.equal((await looks(2)).length, 1);
  });

  it("tells again what nobody took, and knows after a restart what was told", async () => {
    second({ state: "stopped" });
    answer = 400;
    assert.deepEqual(await looks(3), []);
    answer = 200;
    assert.equal((await looks(2)).length, 1);
    watch = new Watch(own, written);
    assert.deepEqual(await looks(3), []);
    machines = well();
    assert.equal((await looks(1)).length, 1);
    watch = new Watch(own, written);
    assert.deepEqual(await looks(2), []);
  });

  it("tells of volumes that get full, by a call in half an hour", async () => {
    const volume = (used: number) => [
      {
        id: "vol_1",
        name: "web_1",
        state: "created",
        size_gb: 10,
        block_size: 4096,
        blocks_free: ((100 - used) * 1024 ** 3) / 40960,
      },
    ];
    volumes = volume(85);
    assert.deepEqual(await looks(15), ["disk web_1 bad: volume web_1 (vol_1) is 85 % full, the limit is 80 %"]);
    assert.equal(calls, 16);
    volumes = volume(50);
    assert.match((await looks(15)).join(), /^disk web_1 good: volume web_1 \(vol_1\) is 50 % full/);
  });
});

describe("an app on Fly of which somebody is to be told", () => {
  const hook = "https://hooks.example.com/s3cret";
  const withHook = { "homeport:alertWebhook": { value: hook, secret: true } };
  const watchOf = async (name: string, config: Parameters<typeof planOf>[2]) => {
    const spec = await planOf(name, "1", config);
    const scheduler = spec.apps.find((app) => app.name.endsWith("--scheduler"));
    const raw = scheduler?.groups[0]?.config.files?.find((file) =>
      file.guest_path.endsWith("schedule.json"),
    )?.raw_value;
    return {
      spec,
      scheduler,
      watch: (JSON.parse(Buffer.from(raw ?? "", "base64").toString()) as Own["schedule"]).watch,
    };
  };

  it("is watched with all its parts, by a token of each", async () => {
    const { watch, scheduler, spec } = await watchOf("tileshop", withHook);
    assert.deepEqual(
      watch.map(({ subject, flyApp, count }) => [subject, flyApp.replace(/^tileshop-[a-z]+/, ""), count]),
      [
        ["crawl4ai", "--crawl4ai", 1],
        ["web", "", 3],
      ],
    );
    for (const { name } of spec.apps)
      assert.equal(scheduler?.secrets[`TOKEN_${name.toUpperCase().replaceAll("-", "_")}`], `@@deploy-token:${name}@@`);
    assert.equal(scheduler?.secrets.ALERT_WEBHOOK, hook);
    assert.ok(!JSON.stringify(scheduler.groups).includes("s3cret"));
  });

  it("isn't where nobody is", async () => {
    assert.deepEqual((await watchOf("tileshop", { "homeport:alertWebhook": undefined })).watch, []);
  });
});
