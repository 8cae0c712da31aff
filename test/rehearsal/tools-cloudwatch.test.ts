import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
  type FilteredLogEvent,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import assert from "node:assert/strict";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Host, S3, Site } from "../../rehearsal/site";
import { poll } from "../../rehearsal/host/run";
import { openSite } from "../../rehearsal/site";
import { listen, type Listener } from "../unit/tools/desk";
import { DeployApp, type Wish } from "./deployApp";

/** What becomes of a call of an action: carried out, refused, or carried out with its answer lost. */
type Fate = "pass" | "refuse" | "lose answer";

interface Relay {
  readonly url: string;
  /** Names of the actions that were called. */
  readonly calls: string[];
  fate: (action: string) => Fate;
  close(): Promise<void>;
}

/** As services of the query protocol say it (Smithy, "AWS query protocol", "Operation error serialization"). */
const unavailable =
  "<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>Try again</Message></Error>" +
  "<RequestId>r</RequestId></ErrorResponse>";

/** An HTTP server in front of the emulator, by which calls of AWS go wrong. */
async function startRelay(address: string, target: string): Promise<Relay> {
  const { hostname, port } = new URL(target);
  const nameOf = ({ headers }: IncomingMessage, body: string): string =>
    /[^.]*$/.exec(String(headers["x-amz-target"] ?? /Action=(\w+)/.exec(body)?.[1] ?? ""))?.[0] ?? "";
  const relay = { calls: [] as string[], fate: (): Fate => "pass" } as Pick<Relay, "calls" | "fate">;
  const server: Server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      const body = Buffer.concat(parts);
      const action = nameOf(incoming, body.toString());
      relay.calls.push(action);
      const fate = relay.fate(action);
      if (fate === "refuse") {
        const [type, text] = action === "Publish" ? ["text/xml", unavailable] : ["text/plain", "Service Unavailable"];
        response.writeHead(503, { "content-type": type }).end(text);
        return;
      }
      const { method, url, headers } = incoming;
      const outgoing = request({ hostname, port, method, path: url, headers }, (answer) => {
        if (fate === "lose answer") {
          answer.resume().on("end", () => incoming.socket.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      outgoing.on("error", () => incoming.socket.destroy());
      outgoing.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, address, done));
  return Object.assign(relay, {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  });
}

/** The instance metadata service as far as credentials go (EC2 user guide, "Retrieve security credentials from instance metadata"). */
const metadataService = ({ accessKeyId, secretAccessKey }: S3): string => `
import http.server, json
class Metadata(http.server.BaseHTTPRequestHandler):
    def answer(self, text, code=200):
        self.send_response(code); self.send_header("Content-Length", str(len(text)))
        if self.command == "PUT": self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.end_headers(); self.wfile.write(text.encode())
    def do_PUT(self): self.answer("a-token")
    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") != "a-token": return self.answer("", 401)
        place = "/latest/meta-data/iam/security-credentials/"
        if self.path == place: return self.answer("the-role")
        if self.path == place + "the-role": return self.answer(json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "${accessKeyId}",
            "SecretAccessKey": "${secretAccessKey}", "Token": "t", "LastUpdated": "2026-01-01T00:00:00Z", "Expiration": "2099-01-01T00:00:00Z"}))
        self.answer("", 404)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("169.254.169.254", 80), Metadata).serve_forever()
`;

describe("a host that reports to CloudWatch", function () {
  this.timeout(300_000);
  let site: Site;
  let host: Host;
  let app: DeployApp;
  let neighbour: DeployApp;
  let relay: Relay;
  let logs: CloudWatchLogsClient;
  let metrics: CloudWatchClient;
  let wish: Wish;
  let mail: Listener;
  const group = "/homeport/test/watched";
  const startMetadata = (): Promise<string> =>
    app.shell(
      "ip addr replace 169.254.169.254/32 dev lo; systemd-run --quiet --collect --unit=metadata python3 /opt/metadata.py; sleep 1",
    );
  const send = (): Promise<string> => app.shell("systemctl start homeport-cloudwatch.service");
  const events = async (): Promise<FilteredLogEvent[]> => {
    const found: FilteredLogEvent[] = [];
    for (let nextToken: string | undefined; ;) {
      const page = await logs.send(
        new FilterLogEventsCommand({ logGroupName: group, ...(nextToken === undefined ? {} : { nextToken }) }),
      );
      found.push(...(page.events ?? []));
      nextToken = page.nextToken;
      if (nextToken === undefined) return found;
    }
  };
  const said = async (word: string): Promise<string[]> =>
    (await events())
      .map(({ message = "" }) => (JSON.parse(message) as { message: unknown }).message)
      .filter((text): text is string => typeof text === "string" && text.startsWith(`${word} `));
  /** Lets a unit of the app say lines that begin with a word. */
  const speak = (word: string, lines: number, unit = "watched-test-job-speak"): Promise<string> =>
    app.shell(
      `systemd-run --quiet --wait --collect --unit=${unit} bash -c 'for i in $(seq ${lines}); do echo "${word} $i"; done'; journalctl --sync`,
    );
  const numbered = (word: string, lines: number): string[] =>
    Array.from({ length: lines }, (_, i) => `${word} ${i + 1}`);

  before(async () => {
    site = await openSite({ log: () => undefined });
    const [made, s3] = await Promise.all([site.host("watched"), site.s3()]);
    host = made;
    const { endpoint, region, accessKeyId, secretAccessKey } = s3;
    const client = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
    logs = new CloudWatchLogsClient(client);
    metrics = new CloudWatchClient(client);
    await logs.send(new CreateLogGroupCommand({ logGroupName: group }));
    relay = await startRelay(site.gateway, endpoint);
    app = new DeployApp(host, "watched", 8000);
    neighbour = new DeployApp(host, "neighbour", 8010);
    await host.exec("cat >/opt/metadata.py", { input: metadataService(s3) });
    await startMetadata();
    // What SNS does to an address of http it does to one of e-mail (SNS developer guide, "HTTP/HTTPS notification JSON format").
    mail = await listen(() => 200, site.gateway);
    const sns = new SNSClient(client);
    const { TopicArn: arn = "" } = await sns.send(new CreateTopicCommand({ Name: "homeport-test-alarms" }));
    await sns.send(new SubscribeCommand({ TopicArn: arn, Protocol: "http", Endpoint: mail.url }));
    sns.destroy();
    wish = {
      version: "1",
      services: ["web"],
      plan: {
        monitoring: {
          ...{ region, endpoint: relay.url, namespace: "Homeport/test", dimensions: { InstanceId: "i-0a1b" } },
          logGroup: group,
          topic: { arn, region, endpoint: relay.url },
        },
      },
    };
  });
  after(async () => {
    logs.destroy();
    metrics.destroy();
    app.remove();
    neighbour.remove();
    await Promise.all([relay.close(), mail.close(), site.close()]);
  });

  it("puts its disk and memory in use, each period once", async () => {
    await app.deploy(wish);
    await app.shell("systemctl is-active homeport-cloudwatch.timer");
    // Only what a test starts is to send anything.
    await app.shell(
      "systemctl stop homeport-cloudwatch.timer homeport-cloudwatch.service; rm -rf /var/lib/homeport/cloudwatch",
    );
    await send();
    await send();
    assert.equal(relay.calls.filter((call) => call === "PutMetricData").length <= 2, true);
    const dimensions = [{ Name: "InstanceId", Value: "i-0a1b" }];
    const ask = async (MetricName: string, path?: string): Promise<number[]> => {
      const Dimensions = [...dimensions, ...(path === undefined ? [] : [{ Name: "Path", Value: path }])];
      const Metric = { Namespace: "Homeport/test", MetricName, Dimensions };
      const { MetricDataResults } = await metrics.send(
        new GetMetricDataCommand({
          StartTime: new Date(Date.now() - 900_000),
          EndTime: new Date(Date.now() + 60_000),
          MetricDataQueries: [{ Id: "q", MetricStat: { Metric, Period: 300, Stat: "Maximum" } }],
        }),
      );
      return MetricDataResults?.[0]?.Values ?? [];
    };
    const used = Number((await app.shell("df --output=pcent / | tail -1")).replace("%", ""));
    const [disk] = await ask("DiskUsedPercent", "/");
    assert.ok(disk !== undefined && Math.abs(disk - used) < 2, `${disk} and ${used}`);
    const [memory] = await ask("MemoryUsedPercent");
    assert.ok(memory !== undefined && memory > 0 && memory < 100, String(memory));
  });

  it("sends what the app's units say, systemd's word on them too, and nobody else's", async () => {
    await speak("first", 3);
    await speak("other", 2, "watched-test-more-job-speak");
    await host.exec("mkdir -p /etc/homeport/watched-test-more && touch /etc/homeport/watched-test-more/alert");
    await host.exec("logger 'first of nobody'");
    await send();
    assert.deepEqual(await said("first"), numbered("first", 3));
    assert.deepEqual(await said("other"), []);
    const all = (await events()).map(({ message = "" }) => JSON.parse(message) as Record<string, unknown>);
    assert.ok(all.some((one) => one["unit"] === "watched-test-web-a@1.service" && one["level"] === "info"));
    assert.deepEqual([...new Set((await events()).map((one) => one.logStreamName))], ["i-0a1b"]);
    await host.exec("rm -r /etc/homeport/watched-test-more");
  });

  it("sends nothing twice, and calls nobody when there is nothing to say", async () => {
    await send();
    const before = relay.calls.length;
    const count = (await events()).length;
    await app.shell("rm -f /var/lib/homeport/cloudwatch/*.metrics; systemctl start homeport-cloudwatch.service");
    assert.deepEqual(relay.calls.slice(before), ["PutMetricData"]);
    assert.equal((await events()).length, count);
  });

  it("loses nothing and doubles nothing while AWS refuses, loses answers, or the host goes down", async () => {
    for (const [word, fate] of [
      ["refused", "refuse"],
      ["lost", "lose answer"],
    ] as const) {
      await speak(word, 200);
      relay.fate = (action) => (action === "PutLogEvents" ? fate : "pass");
      await send();
      relay.fate = () => "pass";
      await host.kill();
      await host.start();
      await startMetadata();
      await app.shell("systemctl stop homeport-cloudwatch.timer");
      await speak(word, 1, "watched-test-job-again");
      await send();
      await send();
      assert.deepEqual(await said(word), [...numbered(word, 200), `${word} 1`], word);
    }
  });

  it("cuts what is much into batches", async () => {
    const before = relay.calls.length;
    await speak("many", 12_000);
    await app.shell(
      "systemd-run --quiet --wait --collect --unit=watched-test-job-long bash -c 'for i in $(seq 60); do head -c 40000 /dev/zero | tr \"\\0\" x; echo; done'; journalctl --sync",
    );
    await send();
    assert.deepEqual((await said("many")).length, 12_000);
    assert.ok(relay.calls.slice(before).filter((call) => call === "PutLogEvents").length >= 4);
  });

  it("tells of a failure that lasts, and fails no deploy by it", async () => {
    relay.fate = (action) => (action === "Publish" ? "pass" : "refuse");
    await speak("later", 1);
    await send();
    assert.deepEqual(
      (await app.deploy(wish)).changes.filter((change) => !change.includes("cloudwatch")),
      [],
    );
    await app.shell(
      "sed -i 's/^[0-9]*/1000000000/' /var/lib/homeport/cloudwatch/watched-test.failing; systemctl start watched-test-watch.service",
    );
    assert.match(
      await app.shell("journalctl -u watched-test-watch -o cat"),
      /cloudwatch is bad: logs or figures don't reach CloudWatch: .*503/,
    );
    relay.fate = () => "pass";
    await app.shell("systemctl stop homeport-cloudwatch.timer");
    await send();
    await app.shell("systemctl start watched-test-watch.service");
    assert.match(await app.shell("journalctl -u watched-test-watch -o cat"), /cloudwatch is good/);
    assert.deepEqual(await said("later"), ["later 1"]);
  });

  it("publishes a failed unit to the stack's topic, and tells where that can't be", async () => {
    const unit = "watched-test-job-broken.service";
    const mails = (): { Type: string; Subject: string; Message: string }[] =>
      mail.received
        .map(({ body }) => JSON.parse(body) as { Type: string; Subject: string; Message: string })
        .filter(({ Type }) => Type === "Notification");
    await app.shell(
      `systemd-run --quiet --unit=${unit} --property=OnFailure=homeport-alert@${unit}.service sh -c 'echo "it broke here"; exit 3'`,
    );
    // The failures of CloudWatch before this were told, too.
    const ofUnit = () => mails().filter(({ Subject }) => Subject === `watched-test: ${unit} is failed`);
    await poll(() => ofUnit()[0], { timeoutMs: 30_000, failure: () => "SNS has nothing of it" });
    assert.equal(ofUnit().length, 1);
    assert.match(
      ofUnit()[0]?.Message ?? "",
      /is failed \(exit-code\): watched of stack test on host .*[^]*\nit broke here/,
    );
    assert.equal(await app.shell("stat -c %U:%a /etc/homeport/watched-test/alert"), "root:600");
    // A refusal of AWS's own kind, which is tried again and then told.
    relay.fate = (action) => (action === "Publish" ? "refuse" : "pass");
    const before = relay.calls.filter((call) => call === "Publish").length;
    const refused = await host.exec("/usr/local/lib/homeport/alert watched-test 'disk /' bad '91 % full'");
    relay.fate = () => "pass";
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /could not be published to arn:aws:sns:.*ServiceUnavailable.*max retries/);
    assert.ok(relay.calls.filter((call) => call === "Publish").length >= before + 3);
    await app.shell("/usr/local/lib/homeport/alert watched-test 'disk /' bad '91 % full'");
    assert.equal(mails().at(-1)?.Subject, "watched-test: disk / is bad");
  });

  it("lets nobody be the machine but root and apps that have a bucket", async () => {
    const ask = (user: string): Promise<{ code: number }> =>
      host.exec(`runuser -u ${user} -- curl -s -m 3 -X PUT http://169.254.169.254/latest/api/token`);
    const bucket = { name: "archive", bucket: "b", region: "eu-central-1" };
    await neighbour.deploy({ ...wish, plan: { buckets: [bucket] } });
    assert.equal((await ask("root")).code, 0);
    assert.equal((await ask("neighbour-test")).code, 0);
    assert.notEqual((await ask("watched-test")).code, 0);
    assert.notEqual((await ask("deploy")).code, 0);
    await neighbour.deploy({ ...wish, onDelete: "delete data" }, "delete");
    assert.equal((await ask("root")).code, 0);
    assert.notEqual((await ask("watched-test")).code, 0);
  });

  it("keeps no trace of it once the app is gone", async () => {
    await app.deploy({ ...wish, onDelete: "delete data" }, "delete");
    assert.equal(
      await app.shell("find / -xdev \\( -name '*cloudwatch*' -o -name 'metadata.others' \\) -path '*homeport*'"),
      "",
    );
  });
});
