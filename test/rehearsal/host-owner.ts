/* Opens a site and a host in it, says so, and waits to be killed: the run that host.test.ts leaves behind. */
import { openSite } from "../../rehearsal/site";

async function own(folder: string): Promise<void> {
  const log = (line: string): void => {
    console.log(line);
  };
  const site = await openSite({ log, folder, id: "left" });
  log("opened");
  await Promise.all([site.host("first", { diskSize: 64 * 2 ** 20 }), site.s3()]);
  log("ready");
  setInterval(() => undefined, 60_000);
}

own(process.argv[2] ?? "").catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
