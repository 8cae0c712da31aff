import { onFly, onRender, renderRepository, standIns } from "./fiveApps";
import type { Rehearsed } from "./rehearsed";
import type { Site } from "./site";
import { standIn } from "./standIn";

/** What the development stack runs on in a rehearsal: a host, Render and Fly. */
export async function openDev(site: Site): Promise<Rehearsed> {
  const [host, s3, fly, docker, render] = await Promise.all([
    site.host("rehearsal"),
    site.s3(),
    site.fly(),
    site.docker(),
    site.render(),
  ]);
  return {
    push: async () => {
      await render.repository(renderRepository, standIn("hotrod"));
    },
    configure: (stack) =>
      stack.configure({
        ...standIns(s3, site.gateway),
        ...onFly(fly, docker),
        ...onRender(render),
        "vps:hosts": { json: { rehearsal: { address: host.address, user: host.user, hostKey: host.hostKey } } },
        "vps:privateKey": { secret: host.privateKey },
      }),
    places: () =>
      Promise.resolve({
        hosts: new Map([[host.name, host]]),
        reach: {
          fly: ({ port }, { app = "" }) => fly.url(app, port === "" ? 443 : Number(port)),
          render: ({ hostname }) => render.url(hostname.split(".")[0] ?? ""),
        },
      }),
  };
}
