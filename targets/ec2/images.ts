import type { InstanceType } from "./instanceType";

/** The systems that a new instance can run. */
export const systems = ["al2023", "debian-13", "debian-12", "ubuntu-24.04"] as const;
export type System = (typeof systems)[number];

interface Image {
  /** Who SSH logs in as; may use sudo without a password. */
  readonly user: string;
  /** Public parameter of SSM that names the newest image of the region. */
  readonly parameter: (architecture: InstanceType["architecture"]) => string;
  /** Whether it brings the agent of Session Manager. */
  readonly session: boolean;
}

const debianName = { x86_64: "amd64", arm64: "arm64" } as const;
const debian = (release: number): Image => ({
  user: "admin",
  parameter: (architecture) => `/aws/service/debian/release/${release}/latest/${debianName[architecture]}`,
  session: false,
});

/**
 * Where each vendor publishes its images: Amazon Linux (AL2023 user guide, "Get started with AL2023 on EC2"), Debian
 * (https://wiki.debian.org/Cloud/AmazonEC2Image) and Canonical (https://documentation.ubuntu.com/aws/, "Find Ubuntu images").
 */
export const images: Readonly<Record<System, Image>> = {
  al2023: {
    user: "ec2-user",
    parameter: (architecture) => `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
    session: true,
  },
  "debian-13": debian(13),
  "debian-12": debian(12),
  "ubuntu-24.04": {
    user: "ubuntu",
    parameter: (architecture) =>
      `/aws/service/canonical/ubuntu/server/24.04/stable/current/${debianName[architecture]}/hvm/ebs-gp3/ami-id`,
    session: true,
  },
};
