import { oneOf } from "../../components/parsers";
import { setting, type Settings, type ValuesOf } from "../../components/settings";
import { Size } from "../../components/values/size";

/** The part of `ec2:` that says who runs the apps' databases. */
export const dataSettings = {
  postgres: setting(
    oneOf("host", "rds"),
    { about: "Who runs PostgreSQL: the app's own instance, or RDS.", example: "rds" },
    "host" as const,
  ),
  redis: setting(
    oneOf("host", "elasticache"),
    { about: "Who runs Redis: the app's own instance, or ElastiCache (Valkey).", example: "elasticache" },
    "host" as const,
  ),
  postgresVersion: setting(
    oneOf("16", "17"),
    { about: "Major version of PostgreSQL on RDS. The host's tools must not be older.", example: "17" },
    "17" as const,
  ),
  databaseClass: setting(
    classOf("db", "db.t4g.micro"),
    { about: "Class of RDS instances.", example: "db.t4g.small" },
    "db.t4g.micro",
  ),
  cacheClass: setting(
    classOf("cache", "cache.t4g.micro"),
    { about: "Type of ElastiCache nodes.", example: "cache.t4g.small" },
    "cache.t4g.micro",
  ),
  databaseSize: setting(databaseSize, {
    about: "Storage of RDS instances, where the app declares none or more is wanted. It can grow and never shrink.",
    example: "50 GiB",
  }),
} satisfies Settings;

export type DataSettings = ValuesOf<typeof dataSettings>;

/** The form of a class; which there are differs by region and is AWS's to say. */
function classOf(prefix: string, example: string): (text: string) => string {
  return (text) => {
    if (new RegExp(`^${prefix}\\.[a-z][a-z0-9-]*\\.(micro|small|medium|large|\\d*xlarge)$`).test(text)) return text;
    throw new RangeError(`"${text}" isn't a class such as ${example}.`);
  };
}

function databaseSize(text: string): Size {
  const size = Size.parse(text);
  if (size.toBytes() % Size.gib(1).toBytes() !== 0 || size.toBytes() < Size.gib(20).toBytes())
    throw new RangeError(`"${text}" isn't whole GiB from 20 GiB up, as RDS sells gp3 storage.`);
  return size;
}
