import { toolHardening } from "./hardening";
import { tools, unitFile } from "./names";
import { description, execLine, raw, unitText, type Setting } from "./unitText";

/** The units that all apps of a host share, by path. The same for every app, or apps would undo each other's. */
export const hostUnits = (): readonly (readonly [path: string, content: string])[] => [
  [unitFile("homeport-proxy.service"), proxyUnit],
  [unitFile("homeport-firewall.service"), firewallUnit],
  [unitFile("homeport-alert@.service"), alertUnit],
  [unitFile("homeport-retry@.service"), retryUnit],
  [unitFile("homeport-certs.service"), certsUnit],
  [unitFile("homeport-certs.timer"), certsTimer],
];

const onFailure: Setting = ["OnFailure", "homeport-alert@%n.service"];
const checkProxy = "/usr/sbin/haproxy -c -q -f /etc/homeport/proxy";

/** The distribution's haproxy.service isn't used: its configuration may be a person's own. */
const proxyUnit = unitText("HAProxy in front of all apps of this host.", [
  [
    "Unit",
    [
      description("Homeport proxy"),
      ["Wants", "network-online.target"],
      ["After", "network-online.target homeport-firewall.service"],
      ["StartLimitIntervalSec", "0"],
      onFailure,
    ],
  ],
  [
    "Service",
    [
      ["Type", "notify"],
      ["ExecStartPre", checkProxy],
      // An address of a family that the kernel was booted without would keep it from starting.
      [
        "ExecStart",
        execLine([
          "/bin/sh",
          "-c",
          "if grep -q . /proc/net/if_inet6; then export HOMEPORT_IPV6=yes; fi; exec /usr/sbin/haproxy -Ws -f /etc/homeport/proxy -p /run/homeport-proxy/pid",
        ]),
      ],
      ["ExecReload", checkProxy],
      ["ExecReload", "/bin/kill -USR2 $MAINPID"],
      ["RuntimeDirectory", "homeport-proxy"],
      ["RuntimeDirectoryMode", "0755"],
      ["KillMode", "mixed"],
      ["SuccessExitStatus", "143"],
      ["TimeoutStopSec", "30"],
      ["Restart", "always"],
      ["RestartSec", "1"],
      ["LimitNOFILE", "65536"],
      ["OOMScoreAdjust", "-500"],
      ["NoNewPrivileges", "yes"],
      ["CapabilityBoundingSet", "CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_DAC_OVERRIDE"],
      ...toolHardening.filter(([key]) => key !== "UMask"),
      ["ProtectProc", "invisible"],
      ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"],
      ["RestrictNamespaces", "yes"],
      ["SystemCallFilter", "@system-service"],
      ["SystemCallErrorNumber", "EPERM"],
    ],
  ],
  ["Install", [["WantedBy", "multi-user.target"]]],
]);

/**
 * One nft script replaces the whole table in one transaction: there is no moment without rules. Nor is there at a restart,
 * as nothing is done at a stop.
 */
const nft = "/usr/sbin/nft -f /etc/homeport/firewall.nft";
const firewallUnit = unitText("Packet filter of this host.", [
  [
    "Unit",
    [
      description("Homeport packet filter"),
      ["DefaultDependencies", "no"],
      ["Wants", "network-pre.target"],
      ["After", "local-fs.target"],
      ["Before", "network-pre.target shutdown.target"],
      ["Conflicts", "shutdown.target"],
      onFailure,
    ],
  ],
  [
    "Service",
    [
      ["Type", "oneshot"],
      ["RemainAfterExit", "yes"],
      ["ExecStart", nft],
      ["ExecReload", nft],
      ["ProtectHome", "yes"],
      ["ProtectSystem", "full"],
    ],
  ],
  ["Install", [["WantedBy", "multi-user.target"]]],
]);

const alertUnit = unitText("Tells the app's alert address that a unit has failed.", [
  ["Unit", [["Description", "Homeport alert for %i"]]],
  [
    "Service",
    [
      ["Type", "oneshot"],
      ["ExecStart", execLine([`${tools}/alert`, raw("%i")])],
      ["TimeoutStartSec", "120"],
      ...toolHardening,
    ],
  ],
]);

/** Units that aren't started at boot are a slot that has been given up or isn't in use yet. */
const retry = [
  "test -L /etc/systemd/system/multi-user.target.wants/$1 && systemctl is-failed --quiet $1 || exit 0",
  "systemctl reset-failed $1",
  "exec systemctl start --no-block $1",
].join("; ");
const retryUnit = unitText("Starts a unit again that systemd has given up, unless somebody else has dealt with it.", [
  ["Unit", [["Description", "Homeport starts %i again"]]],
  [
    "Service",
    [
      ["Type", "oneshot"],
      ["ExecStart", "/bin/sleep 60"],
      ["ExecStart", execLine(["/bin/sh", "-c", retry, "retry", raw("%i")])],
      ["TimeoutStartSec", "90"],
      ...toolHardening,
    ],
  ],
]);

const certsUnit = unitText("Certificates for the domains of all apps of this host.", [
  [
    "Unit",
    [description("Homeport certificates"), ["After", "network-online.target homeport-proxy.service"], onFailure],
  ],
  [
    "Service",
    [
      ["Type", "oneshot"],
      ["ExecStart", `${tools}/certs`],
      ["TimeoutStartSec", "1h"],
      ["ReadWritePaths", "-/etc/homeport/proxy/certs"],
      ...toolHardening,
    ],
  ],
]);

/** As certificate authorities ask for: twice a day, at a time of the host's own. */
const certsTimer = unitText("Renewal of certificates.", [
  ["Unit", [description("Homeport certificates")]],
  [
    "Timer",
    [
      ["OnCalendar", "*-*-* 03,15:17:00"],
      ["RandomizedDelaySec", "2h"],
      ["Persistent", "true"],
    ],
  ],
  ["Install", [["WantedBy", "timers.target"]]],
]);
