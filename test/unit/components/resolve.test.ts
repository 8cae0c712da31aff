import assert from "node:assert/strict";
import fc from "fast-check";
import { env } from "../../../components";
import { environments, reference } from "../../../components/environment";
import { resolveEnv } from "../../../components/resolve";
import type { ConfigEntry } from "../../../components/settings";
import type { VariableSource } from "../../../components/variables";

const resolve = (
  sources: Record<string, VariableSource>,
  entries: Record<string, ConfigEntry> = {},
  environment: "dev" | "live" = "dev",
) => resolveEnv("app", sources, { stack: "dev", entries: new Map(Object.entries(entries)) }, environment);
const secret = (value: string): ConfigEntry => ({ value, secret: true });
const plain = (value: string): ConfigEntry => ({ value, secret: false });

describe("environment contract", () => {
  it("prefers the stack's value, then the environment's default", () => {
    const variables = { SHOP: env.text({ default: { dev: "dev.example", live: "live.example" } }) };
    const value = (entries: Record<string, ConfigEntry>, environment: "dev" | "live") =>
      resolve(variables, entries, environment).env.SHOP;
    assert.deepEqual(value({}, "dev"), { value: { kind: "plain", value: "dev.example" }, origin: "default" });
    assert.deepEqual(value({}, "live"), { value: { kind: "plain", value: "live.example" }, origin: "default" });
    const own = { value: { kind: "plain", value: "own.example" }, origin: "stack" };
    assert.deepEqual(value({ "app:SHOP": plain("own.example") }, "live"), own);
  });

  it("reports every missing value, each with its command", () => {
    const { problems } = resolve({
      KEY: env.secret({ about: "From the console." }),
      FILE: env.secretFile(),
      LEVEL: env.oneOf(["INFO", "DEBUG"]),
      NOTE: env.text({ required: "never" }),
    });
    assert.deepEqual(
      problems.map((p) => p.fix),
      [
        "pulumi config set --secret app:KEY",
        "pulumi config set --secret app:FILE < FILE",
        "pulumi config set app:LEVEL INFO",
      ],
    );
    assert.equal(problems[0]?.why, "From the console.");
  });

  it("asks for a value in the environments that need it alone", () => {
    const variables = { URL: env.url({ required: "live" }) };
    assert.equal(resolve(variables, {}, "dev").problems.length, 0);
    assert.equal(resolve(variables, {}, "live").problems.length, 1);
  });

  it("lets a default refer to a component, and the stack replace it", () => {
    const variables = { URL: env.url({ schemes: ["redis"], secret: true, default: reference("redis", "url") }) };
    assert.deepEqual(resolve(variables).env.URL?.value, { kind: "reference", reference: reference("redis", "url") });
    const own = resolve(variables, { "app:URL": secret("redis://elsewhere:6379") });
    assert.deepEqual(own.env.URL?.value, { kind: "secret", value: "redis://elsewhere:6379" });
  });

  it("refuses secrets in plain text, empty, short or of the wrong form, without showing them", () => {
    const variables = {
      A: env.secret(),
      B: env.secret({ minLength: 12 }),
      C: env.url({ schemes: ["mongodb"], secret: true }),
      D: env.secretFile(),
    };
    const { problems } = resolve(variables, {
      "app:A": plain("hunter2"),
      "app:B": secret("hunter2"),
      "app:C": secret("http://hunter2"),
      "app:D": secret(" "),
    });
    assert.equal(problems.length, 4);
    assert.ok(!JSON.stringify(problems).includes("hunter2"));
  });

  it("doesn't show a plain variable's value that was set with --secret", () => {
    const variables = { LEVEL: env.oneOf(["INFO"]), DAYS: env.number(), SHOP: env.text({ pattern: /^x$/ }) };
    const { problems } = resolve(variables, {
      "app:LEVEL": secret("hunter2"),
      "app:DAYS": secret("hunter2"),
      "app:SHOP": secret("hunter2"),
    });
    assert.equal(problems.length, 3);
    assert.ok(!JSON.stringify(problems).includes("hunter2"));
  });

  it("keeps a value that was set with --secret secret, whatever its kind", () => {
    const found = resolve({ NOTE: env.text() }, { "app:NOTE": secret("x") });
    assert.equal(found.env.NOTE?.value.kind, "secret");
  });

  it("checks numbers, choices and patterns", () => {
    const variables = {
      DAYS: env.number({ min: 1, max: 100 }),
      LEVEL: env.oneOf(["INFO", "DEBUG"]),
      VERSION: env.text({ pattern: /^\d{4}-\d{2}$/ }),
    };
    const outcome = (DAYS: string, LEVEL: string, VERSION: string) =>
      resolve(variables, { "app:DAYS": plain(DAYS), "app:LEVEL": plain(LEVEL), "app:VERSION": plain(VERSION) })
        .problems;
    assert.deepEqual(outcome("90", "INFO", "2024-10"), []);
    assert.equal(outcome("0", "INF", "2024").length, 3);
    assert.equal(outcome("101", "info", "x").length, 3);
    assert.equal(outcome("", "INFO", "2024-10").length, 1);
    assert.match(outcome("90", "INF", "2024-10")[0]?.what ?? "", /Did you mean "INFO"\?/);
  });

  it("gives each variable a value, a problem, or nothing where it is optional; never two of them", () => {
    const kinds = fc.constantFrom(env.text(), env.secret(), env.url(), env.number(), env.text({ required: "never" }));
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[A-Z][A-Z_]{0,8}$/), kinds),
        fc.dictionary(
          fc.stringMatching(/^app:[A-Z][A-Z_]{0,8}$/),
          fc.record({ value: fc.string(), secret: fc.boolean() }),
        ),
        fc.constantFrom(...environments),
        (variables, entries, environment) => {
          const { env: found, problems } = resolve(variables, entries, environment);
          for (const [name, variable] of Object.entries(variables)) {
            const told = problems.filter((p) => p.where === `app:${name}`).length;
            const given = found[name] === undefined ? 0 : 1;
            const optional = variable.required === "never" && !(`app:${name}` in entries);
            assert.equal(told + given, optional ? 0 : 1);
          }
        },
      ),
    );
  });
});
