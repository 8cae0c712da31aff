import fc from "fast-check";
import assert from "node:assert/strict";
import { consoleText, firstBootScript } from "../../../rehearsal/aws/cloudInit";
import { Faults } from "../../../rehearsal/aws/faults";
import { firewall } from "../../../rehearsal/aws/firewall";
import { readCall, writeRefusal } from "../../../rehearsal/aws/protocol";
import { serialOf } from "../../../rehearsal/aws/volumes";

const scope = (service: string, region = "eu-central-1"): Record<string, string> => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20261121/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});
const form = { "content-type": "application/x-www-form-urlencoded" };
const ec2 = (action: string) =>
  readCall({ method: "POST", path: "/", headers: { ...scope("ec2"), ...form } }, `Action=${action}&Version=2016-11-15`);

describe("the relay to AWS", () => {
  it("reads which call a request is, whatever protocol its service speaks", () => {
    const query = ec2("RunInstances");
    assert.deepEqual([query.service, query.region, query.action], ["ec2", "eu-central-1", "RunInstances"]);
    const headers = { ...scope("ssm"), "x-amz-target": "AmazonSSM.GetParameter" };
    assert.equal(readCall({ method: "POST", path: "/", headers }).action, "GetParameter");
    const rest = readCall({ method: "PUT", path: "/bucket/key?acl", headers: scope("s3", "us-east-1") });
    assert.deepEqual([rest.service, rest.action], ["s3", "PUT /bucket/key?acl"]);
    assert.equal(readCall({ method: "GET", path: "/", headers: {} }).service, "");
  });

  it("takes no body for parameters that isn't a form", () => {
    const headers = { ...scope("s3"), "content-type": "text/plain" };
    assert.equal(readCall({ method: "PUT", path: "/b/k", headers }, "Action=Evil").action, "PUT /b/k");
  });

  it("lets as many calls go wrong as it was asked, each in the words of its service", () => {
    const faults = new Faults();
    faults.add({ action: "RunInstances", kind: "no capacity" });
    faults.add({ action: "RunInstances", kind: "throttled", times: 2 });
    assert.equal(faults.take(ec2("StopInstances")), undefined);
    const taken = [1, 2, 3, 4].map(() => faults.take(ec2("RunInstances")));
    assert.deepEqual(
      taken.map((one) => (typeof one === "object" ? one.code : one)),
      ["InsufficientInstanceCapacity", "RequestLimitExceeded", "RequestLimitExceeded", undefined],
    );
    faults.add({ action: "PUT /bucket", kind: "throttled" });
    const put = (path: string) => readCall({ method: "PUT", path, headers: scope("s3") });
    assert.equal(faults.take(put("/other")), undefined);
    const slow = faults.take(put("/bucket/key"));
    assert.ok(typeof slow === "object" && slow.code === "SlowDown");
    faults.add({ action: "RunInstances", kind: "answer lost", times: 5 });
    faults.clear();
    assert.equal(faults.take(ec2("RunInstances")), undefined);
  });

  it("writes errors as each kind of service does", () => {
    const refusal = { status: 400, code: "Some", message: "thing" };
    const body = (call: ReturnType<typeof readCall>): string => writeRefusal(call, refusal).body;
    assert.match(body(ec2("RunInstances")), /<Response><Errors><Error><Code>Some<\/Code>/);
    const query = readCall({ method: "POST", path: "/", headers: { ...scope("iam"), ...form } }, "Action=GetRole");
    assert.match(body(query), /<ErrorResponse><Error><Code>Some<\/Code>/);
    assert.match(body(readCall({ method: "GET", path: "/b", headers: scope("s3") })), /<Error><Code>Some/);
    const json = readCall({ method: "POST", path: "/", headers: { ...scope("ssm"), "x-amz-target": "A.B" } });
    assert.deepEqual(JSON.parse(body(json)), { __type: "Some", code: "Some", message: "thing" });
  });
});

describe("what a first boot does", () => {
  const script = (userData: string | null): string =>
    firstBootScript({ user: "admin", key: "ssh-ed25519 AAAA me", userData });

  it("lets the key's owner in as the image's user and nobody else", () => {
    const text = script(null);
    assert.match(text, /home\/admin\/\.ssh\/authorized_keys <<'KEY'\nssh-ed25519 AAAA me\nKEY\n/);
    assert.match(text, /^rm -f \/root\/\.ssh\/authorized_keys \/home\/deploy\/\.ssh\/authorized_keys$/m);
  });

  it("runs user data that is a script, whatever it holds, and none other", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const sent = /^echo (\S+) \| base64 -d/m.exec(script(`#!/bin/sh\n${text}`))?.[1] ?? "";
        assert.equal(Buffer.from(sent, "base64").toString(), `#!/bin/sh\n${text}`);
      }),
    );
    assert.doesNotMatch(script("#cloud-config\nruncmd: []\n"), /user-data/);
  });

  it("shows the host's key on the console as cloud-init does, between its lines", () => {
    const text = consoleText("ip-10-1-2-3", "ssh-ed25519 AAAAC3Nz", new Date("2026-11-21T12:00:00Z"));
    const keys = /^-----BEGIN SSH HOST KEY KEYS-----\r\n([^]*)\r\n-----END SSH HOST KEY KEYS-----\r$/m.exec(text)?.[1];
    assert.equal(keys, "ssh-ed25519 AAAAC3Nz root@ip-10-1-2-3");
    assert.match(text, /^<14>Nov 21 12:00:00 cloud-init: 256 SHA256:\S+ root@ip-10-1-2-3 \(ED25519\)\r$/m);
  });
});

describe("security groups' rules", () => {
  const network = { bridge: "hpabc", table: "homeport_abc", subnet: "10.150.3", gateway: "10.150.3.1", mtu: 1500 };
  const rules = (...ingress: Parameters<typeof firewall>[2][number]["ingress"][number][]): string[] =>
    /chain v1 \{([^}]*)\}?[^]*?drop\n {2}\}/
      .exec(firewall(network, 8001, [{ link: "v1", address: "10.150.3.110", hopLimit: 1, ingress }]))?.[0]
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line.includes("dport") || /^(ip saddr .*)?accept$/.test(line) || line.includes("protocol")) ??
    [];

  it("let in the ports they name from where they name, and end in a drop", () => {
    const sources = ["10.150.3.1/32", "2001:db8::/32"];
    assert.deepEqual(rules({ protocol: "tcp", from: 22, to: 22, sources }), [
      "ip saddr { 10.150.3.1/32 } tcp dport 22-22 accept",
    ]);
    assert.deepEqual(rules({ protocol: "tcp", from: 80, to: 90, sources: ["0.0.0.0/0"] }), ["tcp dport 80-90 accept"]);
    assert.deepEqual(rules({ protocol: "-1", from: null, to: null, sources: ["10.0.0.0/8"] }), [
      "ip saddr { 10.0.0.0/8 } accept",
    ]);
  });

  it("let nothing in where they name nobody here, or what isn't known", () => {
    assert.deepEqual(rules({ protocol: "tcp", from: 22, to: 22, sources: [] }), []);
    assert.deepEqual(rules({ protocol: "tcp", from: 22, to: 22, sources: ["::/0"] }), []);
    assert.deepEqual(rules({ protocol: "50", from: null, to: null, sources: ["10.0.0.0/8"] }), []);
  });
});

describe("a volume's serial number", () => {
  it("is its id without the hyphen", () => {
    assert.equal(serialOf("vol-0123456789abcdef0"), "vol0123456789abcdef0");
  });
});
