import assert from "node:assert/strict";
import type { Desk, Listener } from "./desk";
import { listen, makeDesk, needPrograms } from "./desk";

interface Alert {
  app: string;
  stack: string;
  unit: string;
  state: string;
  result: string;
  log: string[];
  held: number;
  time: string;
}

describe("the tools that tell somebody", () => {
  let desk: Desk;
  let hook: Listener;
  const posted = (): Alert[] => hook.received.map((one) => JSON.parse(one.body) as Alert);

  before(() => needPrograms("jq", "curl"));
  beforeEach(async () => {
    hook = await listen();
    desk = makeDesk(`${hook.url}/hook?key="s\\ecret"`);
    desk.script("systemctl", `[[ $1 != show ]] || printf 'ActiveState=failed\\nResult=exit-code\\n'`);
    desk.script("journalctl", `echo 'first line'; echo 'it said "no" \\ ✗'`);
  });
  afterEach(async () => {
    desk.remove();
    await hook.close();
  });

  it("posts a failed unit with its last lines to the app that the unit belongs to", async () => {
    desk.write("etc/homeport/shop-prod-eu/alert", "APP=shop\nSTACK=prod-eu\n");
    const { code, stderr } = await desk.run("alert", ["shop-prod-job-scrape.service"]);
    assert.equal(code, 0, stderr);
    const { time, ...rest } = posted()[0]!;
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(
      { app: rest.app, stack: rest.stack, unit: rest.unit, state: rest.state, result: rest.result, held: rest.held },
      {
        app: "shop",
        stack: "prod",
        unit: "shop-prod-job-scrape.service",
        state: "failed",
        result: "exit-code",
        held: 0,
      },
    );
    assert.deepEqual(rest.log, ["first line", 'it said "no" \\ ✗']);
    assert.equal(hook.received[0]!.path, '/hook?key="s\\ecret"');
  });

  it("takes the longest id that a unit's name begins with", async () => {
    desk.write("etc/homeport/shop-prod-eu/alert", `APP=shop\nSTACK=prod-eu\nURL=${hook.url}/eu\n`);
    await desk.run("alert", ["shop-prod-eu-api-a@1.service"]);
    assert.deepEqual(
      hook.received.map((one) => one.path),
      ["/eu"],
    );
  });

  it("tells the failure of the host's own units to each address once", async () => {
    desk.write("etc/homeport/shop-prod-eu/alert", `APP=shop\nSTACK=prod-eu\nURL=${hook.url}/eu\n`);
    desk.write("etc/homeport/zoo-dev/alert", `APP=zoo\nSTACK=dev\nURL=${hook.url}/eu\n`);
    await desk.run("alert", ["homeport-proxy.service"]);
    assert.deepEqual(
      posted().map((one) => `${one.app} ${one.stack} ${one.unit}`),
      ["shop prod-eu homeport-proxy.service", "shop prod homeport-proxy.service"],
    );
  });

  it("tells one thing once in the pause and counts the rest", async () => {
    const unit = "shop-prod-api-a@1.service";
    for (let i = 0; i < 3; i++) await desk.run("alert", [unit]);
    await desk.run("alert", ["shop-prod-job-other.service"]);
    await desk.run("alert", [unit], { HOMEPORT_ALERT_PAUSE: "0" });
    assert.deepEqual(
      posted().map((one) => [one.unit, one.held]),
      [
        [unit, 0],
        ["shop-prod-job-other.service", 0],
        [unit, 2],
      ],
    );
  });

  it("tries again after an answer that was lost", async () => {
    hook.answers = ["drop"];
    const { code } = await desk.run("alert", ["shop-prod", "disk /", "bad", "91 % full"]);
    assert.equal(code, 0);
    assert.equal(posted().length, 2);
  });

  it("shows the address to nobody: not to processes, not in its output", async () => {
    desk.script("curl", `cat >/dev/null; exit 22`);
    const { code, stdout, stderr } = await desk.run("alert", ["shop-prod", "disk /", "bad", "91 % full"]);
    assert.equal(code, 1);
    assert.ok(desk.calls().some((call) => call.startsWith("curl --config -")));
    assert.doesNotMatch(desk.calls().join("\n") + stdout + stderr, /hook|s.ecret/);
    assert.match(stderr, /could not be posted.*shop-prod\/alert/);
  });

  it("writes to the journal at error priority where there is no webhook", async () => {
    desk.write("etc/homeport/shop-prod/alert", "APP=shop\nSTACK=prod\n");
    const { code, stderr } = await desk.run("alert", ["shop-prod-x.service"], { JOURNAL_STREAM: "1:2" });
    assert.equal(code, 0);
    assert.match(stderr, /^<3>alert: shop-prod: shop-prod-x.service is failed \(exit-code\)/);
    assert.equal(hook.received.length, 0);
  });

  describe("with a topic of SNS", () => {
    const config = "APP=shop\nSTACK=prod\nTOPIC=arn:aws:sns:eu-central-1:1:alarms\nREGION=eu-central-1\n";
    /** Keeps each message as it would be published; `fate` says what becomes of it. */
    const aws = (): void => {
      desk.script(
        "aws",
        `env | grep ^AWS_ >>'${desk.root}/environment'
         [[ ! -e '${desk.root}/fate' ]] || { cat '${desk.root}/fate' >&2; exit 254; }
         for last; do :; done; cat "\${last#file://}" >>'${desk.root}/published'; echo '{}'`,
      );
    };
    const published = (): { TopicArn: string; Subject: string; Message: string }[] =>
      JSON.parse(
        `[${desk
          .read("published")
          .trim()
          .replace(/^\}$\n/gm, "},")}]`,
      ) as ReturnType<typeof published>;

    it("publishes as a person reads it, by the machine's own role, and posts as well", async () => {
      desk.write("etc/homeport/shop-prod/alert", `${config}URL=${hook.url}/hook\n`);
      aws();
      const { code, stderr } = await desk.run("alert", ["shop-prod-job-scrape.service"], {
        AWS_ACCESS_KEY_ID: "somebody's",
      });
      assert.equal(code, 0, stderr);
      const [message, ...more] = published();
      assert.deepEqual(more, []);
      assert.equal(message?.TopicArn, "arn:aws:sns:eu-central-1:1:alarms");
      assert.equal(message.Subject, "shop-prod: shop-prod-job-scrape.service is failed");
      assert.match(
        message.Message,
        /^shop-prod-job-scrape\.service is failed \(exit-code\): shop of stack prod on host \S+, 20\S+Z\.\n\nfirst line\nit said "no" \\ ✗$/,
      );
      assert.equal(posted().length, 1);
      const environment = desk.read("environment");
      assert.match(environment, /AWS_DEFAULT_REGION=eu-central-1/);
      assert.match(environment, /AWS_MAX_ATTEMPTS=4/);
      assert.doesNotMatch(environment, /somebody/);
      assert.doesNotMatch(desk.calls().join("\n"), /first line/);
    });

    it("has subjects that SNS takes, and says how many were held back", async () => {
      desk.write("etc/homeport/shop-prod/alert", config);
      aws();
      const told = ["shop-prod", `läuft ${"x".repeat(120)}`, "bad", "91 % full"];
      await desk.run("alert", told);
      await desk.run("alert", told);
      await desk.run("alert", told, { HOMEPORT_ALERT_PAUSE: "0" });
      const [first, second] = published();
      assert.match(first?.Subject ?? "", /^[ -~]{99}$/);
      assert.match(first?.Subject ?? "", /^shop-prod: l\?uft x/);
      assert.doesNotMatch(first?.Message ?? "", /held back/);
      assert.match(second?.Message ?? "", /\n1 more of this were held back since the last message\.\n\n91 % full$/);
    });

    it("tells the failure of a unit of the host's own to one topic once", async () => {
      desk.write("etc/homeport/shop-prod/alert", config);
      desk.write("etc/homeport/zoo-prod/alert", config.replace("shop", "zoo"));
      aws();
      await desk.run("alert", ["homeport-proxy.service"]);
      assert.deepEqual(
        published().map(({ Subject }) => Subject),
        ["shop-prod: homeport-proxy.service is failed"],
      );
    });

    it("fails where SNS doesn't take it and nobody else is told, so that it is told again", async () => {
      desk.write("etc/homeport/shop-prod/alert", config);
      aws();
      desk.write("fate", "An error occurred (AuthorizationError) when calling the Publish operation\n");
      const refused = await desk.run("alert", ["shop-prod", "disk /", "bad", "91 % full"]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /could not be published to arn:aws:sns:\S+ \(app shop-prod\): .*AuthorizationError/);
      desk.write("etc/homeport/shop-prod/alert", `${config}URL=${hook.url}/hook\n`);
      assert.equal((await desk.run("alert", ["shop-prod", "disk /", "bad", "91 % full"])).code, 0);
      assert.deepEqual(
        posted().map(({ log }) => log),
        [["91 % full", "(no e-mail of this: SNS didn't take it; the host's journal says why)"]],
      );
    });
  });

  it("says whose unit it isn't, and how it is called", async () => {
    assert.match((await desk.run("alert", ["sshd.service"])).stderr, /belongs to no app of this host/);
    const wrong = await desk.run("alert", ["a", "b"]);
    assert.deepEqual([wrong.code, /call it as/.test(wrong.stderr)], [64, true]);
  });

  it("pings below the base address, and never fails the job", async () => {
    desk.write("etc/homeport/shop-prod/ping", `URL=${hook.url}/base/\n`);
    assert.equal((await desk.run("ping", ["shop-prod", "shop-prod-scrape"])).code, 0);
    assert.deepEqual(
      hook.received.map((one) => [one.method, one.path]),
      [["GET", "/base/shop-prod-scrape"]],
    );
    hook.answers = [404, 404];
    const { code, stderr } = await desk.run("ping", ["shop-prod", "shop-prod-scrape"]);
    assert.equal(code, 0);
    assert.match(stderr, /the ping was not taken/);
  });
});
