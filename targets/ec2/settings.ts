import { boolean, cidr, count, list, mapOf, oneOf, shape, text, url } from "../../components/parsers";
import { setting, type Settings, type ValuesOf } from "../../components/settings";
import { Size } from "../../components/values/size";
import { Zone } from "../../components/values/zone";
import { isRegion } from "./awsConfig";
import { dataSettings } from "./dataSettings";
import { systems } from "./images";
import { parseInstanceType } from "./instanceType";
import { watchingSettings } from "./watchingSettings";

/** An id as EC2 gives it, of the kind that its prefix says. */
const id =
  (prefix: string, what: string) =>
  (value: string): string => {
    if (new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`).test(value)) return value;
    throw new RangeError(`"${value}" isn't the id of ${what}, ${prefix}- with 17 digits from 0 to f.`);
  };

const region = (value: string): string => {
  if (isRegion(value)) return value;
  throw new RangeError(`"${value}" isn't a region such as eu-central-1.`);
};

const wholeGib = (value: string): Size => {
  const size = Size.parse(value);
  if (size.toBytes() % Size.gib(1).toBytes() !== 0)
    throw new RangeError(`"${value}" isn't whole GiB, as disks are sold.`);
  return size;
};

const timeOfDay = (value: string): string => {
  if (/^([01]\d|2[0-3]):[0-5]\d$/.test(value)) return value;
  throw new RangeError(`"${value}" isn't a time of the day such as 19:00.`);
};

const weekday = "(MON|TUE|WED|THU|FRI|SAT|SUN)";
const days = (value: string): string => {
  if (new RegExp(`^${weekday}(-${weekday}|(,${weekday})*)$`).test(value)) return value;
  throw new RangeError(`"${value}" isn't days of the week such as MON-FRI or SAT,SUN.`);
};

const zoneName = (value: string): string => Zone.named(value).name;

const generation = (value: string): number => {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new RangeError(`"${value}" isn't a whole number from 1 up.`);
};

const schedule = shape({
  /** When the instance is stopped and started. */
  stop: timeOfDay,
  start: timeOfDay,
  /** @default every day */
  days,
  /** @default UTC */
  timeZone: zoneName,
  /** A live stack's apps would be away while the instance is stopped, which it must say it wants. @default false */
  inLive: boolean,
});

/** `ec2:<key>`. */
export const ec2Settings = {
  instances: setting(
    mapOf(
      shape({
        /** An instance that exists: it is used, and never made, changed, restarted or ended. */
        id: id("i", "an instance"),
        /** Type of a new instance, `t3.micro`; of an adopted one, to check that its apps fit. */
        type: parseInstanceType,
        /** @default al2023 */
        os: oneOf(...systems),
        /** Image to use in place of the newest one of `os`. */
        ami: id("ami", "an image"),
        /** @default aws:region */
        region,
        /** Availability zone of the instance and its disk, `eu-central-1a`. @default the region's zone "a" */
        zone: text,
        /** Subnet with a way to the internet. @default the default subnet of the zone */
        subnet: id("subnet", "a subnet"),
        /** Size of the system's own disk. @default 16 GiB */
        rootSize: wholeGib,
        /** Size of the data's disk; it can grow and never shrink. @default what the apps declare */
        dataSize: wholeGib,
        /** An existing disk with data to attach in place of a new one, such as one that a destroyed stack has left. */
        volume: id("vol", "a volume"),
        /** @default gp3 */
        volumeType: oneOf("gp3", "gp2"),
        /** Whom SSH logs in as. @default the system's own user */
        user: text,
        /** Key pair of AWS that is let in. @default ec2:keyName, else one made for the stack */
        keyName: text,
        /** The host's public key. An adopted instance needs it; a new one's is read from its console. */
        hostKey: text,
        /** Where SSH and others reach an adopted instance. @default its public address at the time of the deploy */
        address: text,
        /** CIDRs that may open SSH. @default ec2:sshFrom */
        sshFrom: list(cidr),
        /** Existing security groups of a new instance besides its own. */
        securityGroups: list(id("sg", "a security group")),
        /** Security group of an adopted instance that gets rules for its apps' ports. @default none: its groups are left alone */
        openIn: id("sg", "a security group"),
        /** Role of an adopted instance that gets the rights its apps need. @default none: archives need an access key */
        role: text,
        /** Whether the packet filter is ours. @default true for new instances, false for adopted ones */
        firewall: boolean,
        /** Keeps a new instance, its disk, its address and its logs from being deleted. @default true in live stacks */
        protect: boolean,
        /**
         * Raised, it replaces the machine by a new one with the newest image; disk and address stay. The new machine boots
         * first, then the old one is stopped, its disk and address move, the apps are deployed, and the old one is ended.
         * A protected instance must first be told `protect: false` and deployed. @default 1
         */
        generation,
        /** Stops and starts the instance by the clock, to save cost. */
        schedule,
      }),
    ),
    {
      about: "The instances, by name: type, region, zone, rootSize, dataSize, sshFrom; or the id of one that exists.",
      example: '{"main":{"type":"t3.micro"}}',
    },
    {},
  ),
  keyName: setting(text, { about: "Key pair of AWS for new instances. Left out, one is made.", example: "my-key" }),
  privateKey: setting(text, {
    about: "Private half of the key pair. Left out, your ssh agent and files are used where the pair wasn't made here.",
    example: "…",
    secret: true,
  }),
  sshFrom: setting(
    list(cidr),
    { about: "Addresses that may open SSH to new instances.", example: '["203.0.113.7/32"]' },
    [] as readonly string[],
  ),
  session: setting(
    boolean,
    {
      about:
        "SSH through Session Manager: no port 22 is open, and SSH connects to the instance's id, for which your ~/.ssh/config " +
        "names AWS's proxy command (Systems Manager user guide, Allow SSH connections through Session Manager).",
      example: "true",
    },
    false,
  ),
  snapshots: setting(
    oneOf("daily", "none"),
    { about: "Whether data disks are saved as snapshots, daily at 03:00 UTC.", example: "daily" },
    "daily" as const,
  ),
  snapshotsKept: setting(count, { about: "Snapshots kept of each data disk.", example: "7" }, 7),
  databaseSubnets: setting(
    list(id("subnet", "a subnet")),
    {
      about:
        "Subnets in two zones for databases on RDS and ElastiCache, of each network that hosts of the stack are in. " +
        "Left out, the network's default ones.",
      example: '["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]',
    },
    [] as readonly string[],
  ),
  acmeEmail: setting(text, { about: "Contact for the certificates of domains.", example: "ops@example.com" }),
  acmeDirectory: setting(url("https"), {
    about: "ACME directory for certificates, where it isn't Let's Encrypt.",
    example: "https://acme-staging-v02.api.letsencrypt.org/directory",
  }),
  ...dataSettings,
  ...watchingSettings,
} satisfies Settings;

export type Ec2Settings = ValuesOf<typeof ec2Settings>;
export type InstanceSettings = Ec2Settings["instances"][string];
export type ScheduleSettings = NonNullable<InstanceSettings["schedule"]>;
