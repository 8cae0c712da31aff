import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cloudPlan, richPlan, without } from "./richPlan";
import { needs, needsRoot, replaceTokens, staged, stagedFile, withFolder, write } from "./support";

const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> =>
  spawnSync(program, args, { encoding: "utf8", env: { ...process.env, ...env } });
const said = (result: SpawnSyncReturns<string>): string =>
  `exit ${String(result.status)}\n${result.stdout}${result.stderr}`;

const units = "etc/systemd/system";
/** Programs that units call, so that `systemd-analyze verify` finds them. */
const programs = [
  ...[
    "bin/bash",
    "bin/sh",
    "bin/kill",
    "bin/sleep",
    "usr/bin/podman",
    "usr/bin/redis-server",
    "usr/sbin/haproxy",
    "usr/sbin/nft",
  ],
  ...["alert", "backup", "certs", "disk-report", "ping", "watch"].map((tool) => `usr/local/lib/homeport/${tool}`),
];

/** A host's root with all units of the rich plan, and the names of the units, one instance of each template. */
function hostRoot(root: string): readonly string[] {
  for (const [path, content] of staged(richPlan)) {
    const [, unit] = /(?:^|\/)files\/etc\/systemd\/system\/([^/]+)$/.exec(path) ?? [];
    if (unit !== undefined) write(join(root, units, unit), replaceTokens(content));
  }
  for (const program of programs) write(join(root, program), "#!/bin/sh\n", 0o755);
  return readdirSync(join(root, units)).map((name) => name.replace("@.", "@1."));
}

describe("programs of a host read what is rendered for them", () => {
  it("systemd-analyze verify finds nothing to say about any unit", function () {
    needs(this, "systemd-analyze");
    withFolder((root) => {
      const names = hostRoot(root);
      // The distribution's targets that the units name.
      mkdirSync(join(root, "usr/lib/systemd"), { recursive: true });
      cpSync("/usr/lib/systemd/system", join(root, "usr/lib/systemd/system"), {
        recursive: true,
        verbatimSymlinks: true,
      });
      const result = run("systemd-analyze", [
        "verify",
        "--man=no",
        "--recursive-errors=no",
        `--root=${root}`,
        ...names,
      ]);
      assert.equal(said(result), "exit 0\n");
      assert.ok(names.length > 25, `only ${names.length} units`);
    });
  });

  const confined =
    /^(shop-prod-(web|api|worker)-[ab]@1|shop-prod-(release|redis|job-(scrape|ingest))[a-z-]*|homeport-proxy)\.service$/;

  it("systemd-analyze security finds the exposure of processes of the app and of the proxy at 3.0 at most", function () {
    needs(this, "systemd-analyze");
    withFolder((root) => {
      const names = hostRoot(root).filter((name) => confined.test(name));
      assert.equal(names.length, 12, names.join(" "));
      for (const name of names) {
        const result = run("systemd-analyze", [
          "security",
          "--no-pager",
          "--offline=yes",
          "--threshold=30",
          `--root=${root}`,
          name,
        ]);
        assert.equal(result.status, 0, said(result).slice(-300));
      }
    });
  });

  for (const ipv6 of ["", "yes"]) {
    it(`haproxy takes the configuration of two apps ${ipv6 === "" ? "without" : "with"} IPv6`, function () {
      needs(this, "haproxy");
      withFolder((folder) => {
        const local = (text: string): string =>
          text.replaceAll("/etc/homeport/proxy", folder).replaceAll("/run/homeport-proxy", folder);
        for (const [path, content] of staged(richPlan)) {
          const [, name] = /^files\/etc\/homeport\/proxy\/(.+)$/.exec(path) ?? [];
          if (name !== undefined) write(join(folder, name), local(content));
        }
        const ports = new Map<string, number>();
        write(join(folder, "shop-prod.cfg"), replaceTokens(stagedFile(richPlan, "proxy.cfg"), ports));
        const services = richPlan.services.map((service) => without(service, "publicPort", "domain"));
        const dev = { ...richPlan, stack: "dev", id: "shop-dev", user: "shop-dev", services };
        write(
          join(folder, "shop-dev.cfg"),
          replaceTokens(stagedFile(dev, "proxy.cfg").replaceAll("@@port:", "@@port:dev/"), ports),
        );
        write(join(folder, "domains.map"), stagedFile(richPlan, "domains.map"));
        const result = run("haproxy", ["-c", "-f", folder], ipv6 === "" ? {} : { HOMEPORT_IPV6: ipv6 });
        // The one warning is of a host that has no certificate yet.
        const warnings = result.stderr
          .split("\n")
          .filter((line) => /WARNING|ALERT/.test(line) && !line.includes("no SSL certificate"));
        assert.deepEqual([result.status, warnings], [0, []], said(result));
      });
    });
  }

  for (const [name, plan] of Object.entries({ "an app's part": richPlan, "that of a machine of a cloud": cloudPlan }))
    it(`nft takes the packet filter with ${name} in it`, function () {
      needs(this, "nft");
      needsRoot(this);
      withFolder((folder) => {
        const rules = join(folder, "firewall");
        // Users are looked up when rules are read, and this machine has none of the app.
        const local = (text: string): string =>
          replaceTokens(text)
            .replaceAll("/etc/homeport/firewall/", `${rules}/`)
            .replaceAll('"shop-prod"', '"root"')
            .replaceAll('"haproxy"', '"root"');
        write(join(rules, "shop-prod.nft"), local(stagedFile(plan, "firewall.nft")));
        write(join(rules, "shop-prod.output"), local(stagedFile(plan, "files/etc/homeport/firewall/shop-prod.output")));
        const others = staged(plan).get("files/etc/homeport/firewall/metadata.others");
        if (others !== undefined) write(join(rules, "metadata.others"), local(others));
        write(join(folder, "firewall.nft"), local(stagedFile(plan, "files/etc/homeport/firewall.nft")));
        assert.equal(
          said(run("unshare", ["--net", "nft", "--check", "--file", join(folder, "firewall.nft")])),
          "exit 0\n",
        );
      });
    });
});
