import assert from "node:assert/strict";
import { problemsOf, statusText, type Answer } from "../../../cli/status";
import type { AppStatus } from "../../../targets/operations";
import { plain, sameAsGolden } from "./golden";

const gib = 1024 ** 3;

const well: AppStatus = {
  deployed: true,
  time: "2025-05-01T10:00:00Z",
  services: [
    {
      name: "web",
      release: "3fa2c1d05e6f7788",
      slot: "b",
      since: "2025-04-30T10:00:00Z",
      health: "healthy",
      instances: [
        {
          name: "1",
          running: true,
          state: "active",
          since: "2025-05-01T07:00:00Z",
          memoryBytes: 98_566_144,
          restarts: 0,
        },
        {
          name: "2",
          running: true,
          state: "active",
          since: "2025-05-01T09:59:01Z",
          memoryBytes: 1_288_490_188,
          restarts: 2,
        },
      ],
    },
    {
      name: "worker",
      release: "docker.io/unclecode/crawl4ai:0.7.4",
      slot: "a",
      health: "none",
      instances: [{ name: "1", running: true, state: "active" }],
    },
  ],
  schedules: [
    { name: "ingest", kind: "job", last: "2025-05-01T02:00:00Z", result: "success", next: "2025-05-02T02:00:00Z" },
    { name: "export", kind: "job", result: "unknown", next: "2025-05-04T03:00:00Z" },
    { name: "db", kind: "backup", last: "2025-05-01T09:59:30Z", result: "running", next: "2025-05-01T10:00:00Z" },
    { name: "watch", kind: "watch", last: "2025-05-01T09:57:00Z", result: "success" },
  ],
  databases: [
    {
      name: "db",
      engine: "postgres",
      copies: 7,
      newest: { name: "db-20250501T040000Z.dump", bytes: 5_242_880, time: "2025-05-01T04:00:00Z" },
    },
    { name: "redis", engine: "redis", copies: 0 },
  ],
  disks: [
    { path: "/", bytes: 40 * gib, freeBytes: 30 * gib, usedPercent: 25, limitPercent: 80 },
    { path: "/var/lib/hotrod-prod", bytes: 40 * gib, freeBytes: 30 * gib, usedPercent: 25, limitPercent: 80 },
    { path: "/data", bytes: 100 * gib, freeBytes: 1.5 * gib, usedPercent: 79, limitPercent: 80 },
  ],
  failed: [],
};

const answer = (status: AppStatus | undefined, error?: string): Answer => ({
  app: "hotrod",
  place: "main (192.0.2.10)",
  status,
  ...(error === undefined ? {} : { error }),
});

const [web, worker] = well.services as readonly [AppStatus["services"][number], AppStatus["services"][number]];
const [ingest] = well.schedules as readonly [AppStatus["schedules"][number]];

const broken: AppStatus = {
  ...well,
  services: [
    { ...web, health: "unhealthy" },
    { ...worker, instances: [{ name: "1", running: false, state: "failed", restarts: 10 }] },
    { ...web, name: "api", instances: [] },
  ],
  schedules: [
    { ...ingest, result: "failed", reason: "timeout" },
    { name: "db", kind: "backup", last: "2025-05-01T04:00:00Z", result: "failed", reason: "exit-code" },
  ],
  disks: [{ path: "/", bytes: 40 * gib, freeBytes: 2 * gib, usedPercent: 95, limitPercent: 80 }],
  failed: ["worker/a1", "ingest", "backup db", "web release"],
};

describe("homeport status", () => {
  it("shows one app that is well", () => {
    sameAsGolden("status-one.txt", statusText([answer(well)], plain));
  });

  it("shows several, one of them broken, one out of reach, one never deployed", () => {
    const never: AppStatus = {
      ...{ deployed: false, time: "", services: [], schedules: [], databases: [], disks: [], failed: [] },
    };
    sameAsGolden(
      "status-several.txt",
      statusText(
        [
          answer(broken),
          { ...answer(well), app: "tileshop" },
          { ...answer(undefined, "The host can't be reached.\n  where: root@192.0.2.11 port 22"), app: "catscan" },
          { ...answer(never), app: "clausea" },
          { ...answer(undefined, "The host can't be reached.\n  where: root@192.0.2.11 port 22"), app: "shopifly" },
        ],
        plain,
      ),
    );
  });

  it("finds nothing wrong with what is well", () => {
    assert.deepEqual(problemsOf(answer(well)), []);
  });

  it("tells each thing that isn't well once, with the command that shows more", () => {
    assert.deepEqual(problemsOf(answer(broken)), [
      "hotrod web: doesn't answer its health check: homeport logs hotrod web",
      "hotrod worker: instance 1 is failed: homeport logs hotrod worker",
      "hotrod api: no instance is there: homeport restart hotrod api",
      "hotrod ingest: failed (timeout): homeport logs hotrod ingest",
      "hotrod backup db: failed (exit-code): homeport logs hotrod db",
      "hotrod web release: failed: homeport logs hotrod",
      "hotrod: / is 95 % full, the alarm is at 80 %",
    ]);
  });

  it("tells what somebody took away, where the place knows, with the command that brings it back", () => {
    const status = {
      ...well,
      services: [{ ...web, instances: [] }, worker],
      missing: ["machine web/1", "machine web/2"],
    };
    assert.deepEqual(problemsOf(answer(status)), [
      "hotrod: taken away by somebody: machine web/1, machine web/2: homeport repair hotrod, then pulumi up",
    ]);
  });

  it("tells how a database is, and no size of a copy where none is known", () => {
    const newest = { name: "b1", bytes: 0, time: "2025-05-01T04:00:00Z" };
    const databases = [{ name: "db", engine: "postgres 16", state: "ready, basic, 10 GB", copies: 2, newest }];
    assert.match(
      statusText([answer({ ...well, databases })], plain),
      /db +postgres 16: ready, basic, 10 GB +6 h ago +2\n/,
    );
  });

  it("lists a file system once however many folders it is asked by, and each disk that is told by its own id", () => {
    const disk = { bytes: 10 * 1024 ** 3, freeBytes: 5 * 1024 ** 3, usedPercent: 50, limitPercent: 80 };
    const shown = (disks: AppStatus["disks"]) =>
      [...statusText([answer({ ...well, disks })], plain).matchAll(/ (\S+) +5 GiB +10 GiB/g)].map(([, path]) => path);
    assert.deepEqual(
      shown([
        { path: "/", ...disk },
        { path: "/var/lib/hotrod", ...disk },
      ]),
      ["/"],
    );
    const own = [
      { path: "web_1", id: "vol_1", ...disk },
      { path: "web_2", id: "vol_2", ...disk },
    ];
    assert.deepEqual(shown(own), ["web_1", "web_2"]);
  });

  it("takes a disk for full at its alarm, and not a percent before", () => {
    const at = (usedPercent: number) =>
      problemsOf(answer({ ...well, disks: [{ path: "/", bytes: 1, freeBytes: 1, usedPercent, limitPercent: 80 }] }));
    assert.equal(at(79).length, 0);
    assert.equal(at(80).length, 1);
  });

  it("colours what is wrong, and pads as if it hadn't", () => {
    const marked = statusText([answer(broken)], (text, colour) =>
      colour === "red" ? `\u001b[31m${text}\u001b[0m` : text,
    );
    assert.ok(marked.includes("\u001b[31mfailed\u001b[0m"));
    const bare = marked.replaceAll("\u001b[31m", "").replaceAll("\u001b[0m", "");
    assert.equal(bare, statusText([answer(broken)], plain));
  });
});
