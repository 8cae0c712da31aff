import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { explainApp, explainText } from "../../../cli/explain";
import { app, env, python, folder } from "../../../components";
import { secretMarkers, workingConfig } from "../../support/config";
import { sameAsGolden } from "./golden";

const hotrod = apps.find(({ name }) => name === "hotrod")!;
const clausea = apps.find(({ name }) => name === "clausea")!;

describe("homeport explain", () => {
  it("shows every variable of the declaration with both columns", () => {
    sameAsGolden("explain-declared.txt", explainText([explainApp(hotrod), explainApp(clausea)], undefined));
  });

  it("shows what a stack makes of them, and where that comes from", () => {
    const stack = { config: workingConfig(), environment: "dev" as const };
    sameAsGolden("explain-stack.txt", explainText([explainApp(hotrod, stack), explainApp(clausea, stack)], stack));
  });

  it("shows no secret, set as one or meant as one, right or wrong", () => {
    for (const environment of ["dev", "live"] as const) {
      const changes = {
        // Too short, set in the open, and a plain variable that somebody set as a secret.
        "clausea:API_KEY": { value: "m-short", secret: true },
        "hotrod:SHOPIFY_ACCESS_TOKEN": { value: "m-open", secret: false },
        "hotrod:ZOHO_ORG_ID": { value: "m-hidden", secret: true },
        "clausea:MONGO_URI": { value: "http://m-wrong:pass@x", secret: true },
      };
      const stack = { config: workingConfig(changes), environment };
      const matrices = apps.map((one) => explainApp(one, stack));
      const text = JSON.stringify(matrices) + explainText(matrices, stack);
      for (const marker of [...secretMarkers, "m-short", "m-open", "m-hidden", "m-wrong"]) {
        assert.ok(!text.includes(marker), `${marker} shows`);
      }
      assert.deepEqual(matrices.flatMap((one) => one.problems.map(({ where }) => where)).sort(), [
        "clausea:API_KEY",
        "clausea:MONGO_URI",
        "hotrod:SHOPIFY_ACCESS_TOKEN",
      ]);
    }
  });

  it("tells missing from unset, and one row for what parts share", () => {
    const sample = app("sample", "A sample", (a) => {
      const variables = {
        TOKEN: env.secret(),
        NAME: env.text({ default: { dev: "d", live: "l" }, required: "never" }),
      };
      const code = { source: folder("."), runtime: python("3.11"), command: "true" };
      const web = a.service("web", { ...code, env: { ...variables, ONLY_LIVE: env.text({ required: "live" }) } });
      a.service("worker", { ...code, env: { ...variables, NAME: "fixed", WEB: web.name } });
    });
    const config = { stack: "test", entries: new Map([["sample:NAME", { value: "mine", secret: false }]]) };
    const { rows } = explainApp(sample, { config, environment: "dev" });
    assert.deepEqual(
      rows.map(({ name, parts, kind, required, dev, live, value, from }) =>
        [name, parts.join("+"), kind, required, dev, live, value, from].join(" | "),
      ),
      [
        "NAME | web | text | no | d | l | mine | stack",
        "NAME | worker | fixed | - | = fixed | = fixed | fixed | declaration",
        "ONLY_LIVE | web | text | in live | - | (to be set) | - | -",
        "TOKEN | web+worker | secret | yes | (to be set) | (to be set) | (missing) | -",
        "WEB | worker | fixed | - | = web | = web | web | declaration",
      ],
    );
  });
});
