/** One tar member, made by hand: what no tar program writes. */
export function member(
  name: string,
  type: string,
  options: { body?: string; link?: string; mode?: string } = {},
): Buffer {
  const body = Buffer.from(options.body ?? "");
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write(options.mode ?? "0000644", 100);
  head.write(body.length.toString(8).padStart(11, "0"), 124);
  head.write("        ", 148);
  head.write(type, 156);
  head.write(options.link ?? "", 157);
  head.write("ustar\u000000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0`, 148);
  return Buffer.concat([head, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
