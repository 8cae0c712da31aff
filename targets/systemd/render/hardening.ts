import type { Setting } from "./unitText";

/**
 * What the app's processes may not do (systemd.exec(5)). Left open on purpose: memory that is both written and run
 * (V8 and ffi need it), /proc beyond processes (CPU counts and memory for psutil, torch, `os.cpus()`), netlink
 * (`os.networkInterfaces()`), sockets to anywhere. /home is an empty tmpfs instead of being closed, so that a volume
 * may be bound below it.
 */
export const hardening: readonly Setting[] = [
  ["NoNewPrivileges", "yes"],
  ["CapabilityBoundingSet", ""],
  ["AmbientCapabilities", ""],
  ["ProtectSystem", "strict"],
  ["ProtectHome", "tmpfs"],
  ["PrivateTmp", "yes"],
  ["PrivateDevices", "yes"],
  ["PrivateUsers", "yes"],
  ["InaccessiblePaths", "-/etc/homeport -/var/lib/homeport -/var/backups"],
  ["ProtectProc", "invisible"],
  ["ProtectClock", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["LockPersonality", "yes"],
  ["RemoveIPC", "yes"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallFilter", "@system-service"],
  ["SystemCallFilter", "~@privileged @resources"],
  // A refused call fails as it would for lack of rights, which programs handle, instead of killing them.
  ["SystemCallErrorNumber", "EPERM"],
  ["UMask", "0077"],
];

/** For the host's own tools, which run as root on the app's data and settings. */
export const toolHardening: readonly Setting[] = [
  ["ProtectSystem", "full"],
  ["ProtectHome", "yes"],
  ["PrivateTmp", "yes"],
  ["PrivateDevices", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["LockPersonality", "yes"],
  ["SystemCallArchitectures", "native"],
  ["UMask", "0077"],
];
