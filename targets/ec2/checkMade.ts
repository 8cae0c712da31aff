import type { Problem } from "../../components/problems";
import { removePath, setPath } from "./setPath";
import { declaredData, zoneOf, type Ec2Host } from "./hosts";
import { images } from "./images";

/** Fields that only an adopted instance has. */
const adoptedOnly = {
  address: "a new instance gets an Elastic IP of its own",
  openIn: "a new instance gets a security group of its own",
  role: "a new instance gets a role of its own",
} as const;

/** What keeps a new instance from being made. */
export function checkMade(host: Ec2Host): Problem[] {
  const { name, settings } = host;
  const problems: Problem[] = [];
  const field = (one: string): string => `ec2:instances.${name}.${one}`;
  if (settings.type === undefined) {
    problems.push({
      where: field("type"),
      what: "The new instance has no type.",
      fix: `${setPath(name, "type", "t3.micro")}, or the id of one that exists: ${setPath(name, "id", "i-0123456789abcdef0")}`,
    });
  }
  for (const [one, why] of Object.entries(adoptedOnly)) {
    if (settings[one as keyof typeof adoptedOnly] === undefined) continue;
    problems.push({
      where: field(one),
      what: "It is for an adopted instance, which has an id.",
      why,
      fix: `${removePath(name, one)}, or ${setPath(name, "id", "i-0123456789abcdef0")}`,
    });
  }
  return [...problems, ...checkZone(host), ...checkSsh(host), ...checkDisks(host), ...checkSession(host)];
}

function checkZone(host: Ec2Host): Problem[] {
  const { name, region } = host;
  const zone = zoneOf(host);
  if (region === "" || (zone.startsWith(region) && /^(-[a-z]+-\d)?[a-z]$/.test(zone.slice(region.length)))) return [];
  return [
    {
      where: `ec2:instances.${name}.zone`,
      what: `"${zone}" is no zone of the region ${region}.`,
      fix: `${setPath(name, "zone", `${region}a`)}, or ${setPath(name, "region", zone.replace(/[a-z]$/, ""))}`,
    },
  ];
}

/** Prefixes below these let in so many that they are no configured addresses: a 256th of IPv4, a provider's all in IPv6. */
const widest = { ipv4: 8, ipv6: 16 };

function checkSsh(host: Ec2Host): Problem[] {
  const { name, sshFrom, session, settings } = host;
  const where = settings.sshFrom === undefined ? "ec2:sshFrom" : `ec2:instances.${name}.sshFrom`;
  if (session) return [];
  const own = `pulumi config set --path '${where}[0]' "$(curl -s https://checkip.amazonaws.com)/32"`;
  if (sshFrom.length === 0) {
    return [
      {
        where,
        what: `Nobody may open SSH to the new instance "${name}", so it can't be deployed to.`,
        fix: `${own} for the address that you deploy from, or no open port at all: pulumi config set ec2:session true`,
      },
    ];
  }
  return sshFrom.flatMap((cidr) => {
    const prefix = Number(cidr.split("/")[1]);
    if (prefix >= (cidr.includes(":") ? widest.ipv6 : widest.ipv4)) return [];
    return [
      {
        where,
        what: `${cidr} would open SSH to everyone.`,
        why: "Machines with an open port 22 are tried by strangers from their first minute on.",
        fix: `${own}, or no open port at all: pulumi config set ec2:session true`,
      },
    ];
  });
}

function checkDisks(host: Ec2Host): Problem[] {
  const { name, settings } = host;
  const problems: Problem[] = [];
  const needed = declaredData(host);
  if (settings.volume !== undefined && settings.dataSize !== undefined) {
    const { region } = host;
    problems.push({
      where: `ec2:instances.${name}.dataSize`,
      what: "It is the size of a new disk, and the disk exists.",
      fix:
        `${removePath(name, "dataSize")}; to grow the disk: aws ec2 modify-volume --region ${region} ` +
        `--volume-id ${settings.volume} --size ${settings.dataSize.toGib()}, ` +
        "then on the host: sudo /usr/local/lib/homeport/data-disk mount",
    });
  }
  if (settings.dataSize !== undefined && settings.dataSize.compare(needed) < 0) {
    problems.push({
      where: `ec2:instances.${name}.dataSize`,
      what: `The apps' volumes and databases are meant to need ${needed.toString()}, and the disk would have ${settings.dataSize.toString()}.`,
      fix: setPath(name, "dataSize", `'${needed.toString()}'`),
    });
  }
  if (settings.rootSize !== undefined && settings.rootSize.toGib() < 8) {
    problems.push({
      where: `ec2:instances.${name}.rootSize`,
      what: `The images need a disk of 8 GiB, and it would have ${settings.rootSize.toString()}.`,
      fix: setPath(name, "rootSize", "'16 GiB'"),
    });
  }
  // EBS user guide, "General Purpose SSD volumes": 64 TiB for gp3, 16 TiB for gp2.
  const most = settings.volumeType === "gp2" ? 16 : 64;
  for (const one of ["rootSize", "dataSize"] as const) {
    const size = settings[one];
    if (size === undefined || size.toGib() <= most * 1024) continue;
    problems.push({
      where: `ec2:instances.${name}.${one}`,
      what: `A disk of ${settings.volumeType ?? "gp3"} has at most ${most} TiB, and it would have ${size.toString()}.`,
      fix: setPath(name, one, `'${most} TiB'`),
    });
  }
  return problems;
}

function checkSession({ name, os, session, settings }: Ec2Host): Problem[] {
  if (!session || images[os].session || settings.ami !== undefined) return [];
  return [
    {
      where: `ec2:instances.${name}.os`,
      what: `Images of ${os} bring no agent of Session Manager, so nothing could deploy to the instance.`,
      fix: `${setPath(name, "os", "al2023")}, or pulumi config set ec2:session false`,
    },
  ];
}
