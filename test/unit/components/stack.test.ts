import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import { app, cron } from "../../../components";
import { formatProblems } from "../../../components/problems";
import { resolveStack } from "../../../components/resolveStack";
import type { ConfigEntry } from "../../../components/settings";
import { targets } from "../../../targets";
import { hostKey, secretMarkers, workingConfig } from "../../support/config";

const cwd = resolve(__dirname, "../../..");
const resolveWith = (changes: Record<string, ConfigEntry | string | undefined> = {}) =>
  resolveStack({ apps, targets, config: workingConfig(changes), cwd });
const placesOf = async (changes: Record<string, ConfigEntry | string | undefined>) =>
  (await resolveWith(changes)).problems.map((p) => p.where);

describe("a stack", () => {
  it("has all five apps on one host without a problem", async () => {
    const { problems, apps: resolved } = await resolveWith();
    assert.deepEqual(problems, []);
    assert.equal(resolved.length, 5);
  });

  it("tells what an app's file throws as that app's problem, beside the others'", async () => {
    const broken = app("guestbook", "Keeps names", (a) => {
      a.job("digest", { in: a.service("web", { image: "web:1" }), at: cron("0 25 * * *"), command: "send" });
    });
    const misspelt = app("album", "Keeps pictures", () => {
      throw new ReferenceError("crn is not defined");
    });
    const config = workingConfig({ "catscan:target": "vsp", "guestbook:target": "vps", "album:target": "vps" });
    const { problems, apps: resolved } = await resolveStack({
      apps: [...apps, broken, misspelt],
      targets,
      config,
      cwd,
    });
    assert.deepEqual(
      problems.map(({ where, what }) => `${where}: ${what}`),
      [
        `apps/guestbook.ts: the cron expression "0 25 * * *" can't be used: hour "25": 25 isn't from 0 to 23`,
        "apps/album.ts: ReferenceError: crn is not defined",
        'catscan:target: There is no target "vsp"; did you mean "vps"?',
      ],
    );
    assert.equal(resolved.length, 4);
  });

  const cases: [string, Record<string, ConfigEntry | string | undefined>, RegExp][] = [
    ["no environment", { "homeport:environment": undefined }, /homeport:environment: The stack doesn't say/],
    ["a wrong environment", { "homeport:environment": "prod" }, /"prod" isn't one of dev or live/],
    ["a misspelt target", { "catscan:target": "vsp" }, /There is no target "vsp"; did you mean "vps"\?/],
    ["no target", { "catscan:target": undefined }, /catscan:target: The stack doesn't say/],
    ["a misspelt key", { "catscan:tarqet": "vps" }, /did you mean "catscan:target"\?/],
    ["a misspelt variable", { "catscan:RETENTION_DAY": "9" }, /did you mean "catscan:RETENTION_DAYS"\?/],
    ["a misspelt namespace", { "catscam:target": "vps" }, /did you mean "catscan:target"\?/],
    ["a misspelt app", { "homeport:apps": '["catscam"]' }, /There is no app "catscam"; did you mean "catscan"\?/],
    ["a key of an app that is gone", { "guestbook:KEY": "x" }, /guestbook:KEY: Nothing reads this key\./],
    ["no host", { "vps:hosts": undefined }, /vps:hosts: No host is configured/],
    ["a host without an address", { "vps:hosts": JSON.stringify({ main: { hostKey } }) }, /vps:hosts.main.address/],
    ["a host without its key", { "vps:hosts": '{"main":{"address":"192.0.2.10"}}' }, /vps:hosts.main.hostKey/],
    [
      "a host's malformed key",
      { "vps:hosts": '{"main":{"address":"192.0.2.10","hostKey":"AAAA"}}' },
      /vps:hosts.main.hostKey: It isn't a public key/,
    ],
    [
      "a host's misspelt field",
      { "vps:hosts": JSON.stringify({ main: { adress: "192.0.2.10", hostKey } }) },
      /main: "adress" isn't a field of it; did you mean "address"\?/,
    ],
    ["an unknown host", { "catscan:host": "mian" }, /There is no host "mian"; did you mean "main"\?/],
    ["a folder that isn't there", { "catscan:source": "rehearsal/standins/nothing" }, /catscan:source/],
    [
      "a port twice",
      { "hotrod:ports": undefined },
      /hotrod.web and tileshop.web both ask for port 8080 on host "main"/,
    ],
    ["SSH's port", { "catscan:ports": '{"api":22}' }, /Port 22 on host "main" is kept for SSH/],
    ["a port of the host's own", { "catscan:ports": '{"api":20100}' }, /kept for the host's own use/],
    ["the port of no service", { "catscan:ports": '{"apl":8001}' }, /nothing named "apl" here; did you mean "api"\?/],
    [
      "one domain twice",
      { "catscan:domain": "a.example.com", "hotrod:domain": "a.example.com" },
      /both ask for a\.example\.com/,
    ],
    ["no key for archives", { "s3:secretAccessKey": undefined }, /s3:secretAccessKey: It has no value/],
    ["a secret in plain text", { "catscan:GMAIL_CREDENTIALS": { value: "{}", secret: false } }, /stored as plain text/],
    ["a database's URL of another kind", { "clausea:MONGO_URI": "https://x.example" }, /mongodb\+srv:\/\/ or mongodb:/],
    ["a missing database's URL", { "clausea:MONGO_URI": undefined }, /pulumi config set --secret clausea:MONGO_URI/],
    ["a short password", { "clausea:STREAMLIT_DASHBOARD_PASSWORD": "short" }, /shorter than 12 characters/],
  ];
  for (const [title, changes, expected] of cases) {
    it(`is refused with ${title}`, async () => {
      const { problems } = await resolveWith(changes);
      const report = formatProblems(problems, "dev");
      assert.match(report, expected);
      assert.ok(problems.every((problem) => problem.fix !== ""));
    });
  }

  it("tells problems of all apps in one report", async () => {
    assert.deepEqual(await placesOf({ "catscan:target": "vsp", "clausea:API_KEY": undefined, "hotrod:APP_URL": "x" }), [
      "catscan:target",
      "hotrod:APP_URL",
      "clausea:API_KEY",
    ]);
  });

  it("shows no secret in a report, whatever is wrong", async () => {
    const wrong = Object.fromEntries(
      [...workingConfig().entries].map(([key, entry]) => [key, entry.secret ? { ...entry, secret: false } : entry]),
    );
    const { problems } = await resolveWith({ ...wrong, "homeport:environment": "prod" });
    assert.ok(problems.length >= secretMarkers.length);
    const report = formatProblems(problems, "dev");
    for (const marker of secretMarkers) assert.ok(!report.includes(marker));
  });

  it("deploys the apps that it names alone", async () => {
    const { apps: resolved, problems } = await resolveWith({
      "homeport:apps": '["catscan"]',
      "hotrod:APP_URL": undefined,
    });
    assert.deepEqual([resolved.map((app) => app.declaration.name), problems], [["catscan"], []]);
  });

  it("offers a free port in place of a taken one", async () => {
    const { problems } = await resolveWith({ "hotrod:ports": undefined, "catscan:ports": '{"api":8081}' });
    assert.match(problems[0]?.fix ?? "", /^pulumi config set --path tileshop:ports\.web \d+$/);
    const free = /\d+$/.exec(problems[0]?.fix ?? "")?.[0];
    const again = await resolveWith({
      "hotrod:ports": undefined,
      "catscan:ports": '{"api":8081}',
      "tileshop:ports": `{"web":${free ?? ""}}`,
    });
    assert.deepEqual(again.problems, []);
  });
});
