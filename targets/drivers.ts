import type { Driver } from "../drivers/driver";

/** The drivers of one platform, by kind of resource. */
export type Platform = Readonly<Record<string, Driver>>;

/**
 * All platforms that a command resource can name, `node <driver> <platform> <kind> apply`. Each is loaded when it is used,
 * so that no run pays for another platform's SDK: drivers/build.ts makes a file of each `import()` here.
 */
export const platforms: Readonly<Record<string, () => Promise<Platform>>> = {
  systemd: async () => (await import("./systemd/driver")).systemd,
  fly: async () => (await import("./fly/driver")).fly,
  render: async () => (await import("./render/driver")).render,
  railway: async () => (await import("./railway/driver")).railway,
  s3: async () => {
    const { applyBucket, deleteBucket } = await import("../drivers/s3");
    return { bucket: { apply: applyBucket, delete: deleteBucket } };
  },
  ec2: async () => (await import("../drivers/ec2")).ec2,
};
