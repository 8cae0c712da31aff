import assert from "node:assert/strict";
import { realClock } from "../../../rehearsal/platform/clock";
import { type Bench, openBench, paper, until } from "../rehearsal/renderSupport";

const hours = 3_600_000;

describe("the disks of the emulated Render", () => {
  let bench: Bench;
  let later = 0;
  const runtime = paper(() => ({}));
  let service: { readonly id: string; readonly deploy: string };
  let disk: string;

  beforeEach(async () => {
    later = 0;
    bench = await openBench({ runtime, clock: { ...realClock, now: () => Date.now() + later } });
    const plan = { runtime: "image", plan: "starter", disk: { name: "data", mountPath: "/data", sizeGB: 10 } };
    service = await bench.service("web", { serviceDetails: plan });
    await bench.settle(service.id, service.deploy);
    disk = Object.keys(bench.render.world.state.disks)[0]!;
  });
  afterEach(() => bench.close());

  interface Snapshot {
    readonly createdAt: string;
    readonly snapshotKey: string;
  }
  const list = async (): Promise<readonly Snapshot[]> => {
    const { status, body } = await bench.call<readonly Snapshot[]>("GET", `/disks/${disk}/snapshots`);
    assert.equal(status, 201);
    return body;
  };
  const restore = (body: object) => bench.call("POST", `/disks/${disk}/snapshots/restore`, body);

  it("have a snapshot a day, newest first, for a week", async () => {
    for (let day = 1; day <= 10; day++) {
      later = day * 24 * hours + day * 60_000;
      await until(`the snapshot of day ${day}`, () =>
        Object.values(bench.render.world.state.snapshots).some(
          ({ createdAt }) => createdAt > Date.now() + later - hours,
        ),
      );
    }
    await until("old ones are gone", async () => (await list()).length === 7);
    const times = (await list()).map(({ createdAt }) => createdAt);
    assert.deepEqual(times, times.toSorted().reverse());
  });

  it("are restored by a key that was told within a day, and by no other", async () => {
    await bench.control("POST", "snapshots");
    const [{ snapshotKey }] = (await list()) as [Snapshot];
    assert.equal((await restore({ snapshotKey: "other" })).status, 400);
    assert.equal((await restore({ key: snapshotKey })).status, 400);
    assert.equal((await restore({ snapshotKey })).status, 200);
    later = 25 * hours;
    assert.deepEqual((await restore({ snapshotKey })).body["message"], "the snapshot key has expired");
  });

  it("take their snapshots with them", async () => {
    await bench.control("POST", "snapshots");
    const [snapshot] = Object.keys(bench.render.world.state.snapshots);
    await bench.call("DELETE", `/services/${service.id}`);
    assert.deepEqual(bench.render.world.state.snapshots, {});
    assert.ok(runtime.removedVolumes.includes(disk) && runtime.removedVolumes.includes(snapshot!));
  });

  it("are measured where something runs that sees them", async () => {
    const capacity = await bench.call("GET", `/metrics/disk-capacity?resource=${service.id}`);
    const [{ values, unit }] = capacity.body as unknown as [{ values: { value: number }[]; unit: string }];
    assert.deepEqual([values.map(({ value }) => value), unit], [[10], "GB"]);
    const plain = await bench.service("plain");
    assert.deepEqual((await bench.call("GET", `/metrics/disk-capacity?resource=${plain.id}`)).body, []);
    assert.equal((await bench.call("GET", `/metrics/disk-usage?resource=${service.id}&other=1`)).status, 400);
  });
});
