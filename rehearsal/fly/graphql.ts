import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Roots } from "../platform/graphql";
import { executeGraphql, readSchema } from "../platform/graphql";
import type { Answer, Call } from "../platform/http";
import { mutations } from "./graphqlChanges";
import { connection, viewAddOn, viewApp, viewOrganization, viewProvider } from "./graphqlViews";
import type { Token } from "./state";
import { authenticate } from "./tokens";
import { appOf, refuse } from "./world";
import type { World } from "./world";

const schema = readSchema(readFileSync(join(__dirname, "contract", "schema.graphql"), "utf8"));

function queries(world: World, token: Token): Roots {
  const organizations = world.state.organizations.filter((one) => one.slug === token.org && token.app === undefined);
  const visible = (): ReturnType<typeof viewApp>[] =>
    Object.values(world.state.apps)
      .filter((app) => app.org === token.org && (token.app === undefined || token.app === app.name))
      .map((app) => viewApp(world, app));
  return {
    app: ({ name, id }: { name?: string; id?: string }) => {
      const wanted = name ?? id ?? "";
      // GraphQL tells nobody that others have an app of that name.
      if (world.state.takenNames.includes(wanted)) throw refuse(404, "Could not find App");
      return viewApp(world, appOf(world, token, wanted));
    },
    apps: ({ organizationId }: { organizationId?: string }) => {
      const organization = world.state.organizations.find((one) => one.id === organizationId);
      return connection(organizationId === undefined || organization?.slug === token.org ? visible() : []);
    },
    organization: ({ slug, id }: { slug?: string; id?: string }) => {
      const organization = organizations.find((one) => one.slug === slug || one.id === id);
      if (organization === undefined) throw refuse(404, "Could not find Organization");
      return viewOrganization(world, organization);
    },
    organizations: () => connection(organizations.map((organization) => viewOrganization(world, organization))),
    viewer: () => ({
      __typename: "User",
      id: "user_rehearsal",
      email: "rehearsal@example.com",
      name: "Rehearsal",
      enablePaidHobby: false,
      agreedToProviderTos: ({ providerName }: { providerName: string }) =>
        world.state.agreedProviders.includes(providerName),
    }),
    currentUser: () => ({ id: "user_rehearsal", email: "rehearsal@example.com", name: "Rehearsal" }),
    addOn: ({ name, id, provider }: { name?: string; id?: string; provider?: string }) => {
      const addOn = Object.values(world.state.addOns).find(
        (one) => one.id === id || (one.name === name && (provider === undefined || provider === one.provider)),
      );
      if (addOn === undefined || addOn.org !== token.org) throw refuse(404, "Could not find AddOn");
      return viewAddOn(world, addOn);
    },
    addOns: ({ type }: { type?: string }) =>
      connection(
        Object.values(world.state.addOns)
          .filter((one) => one.org === token.org && (type === undefined || one.provider === type))
          .map((one) => viewAddOn(world, one)),
      ),
    addOnProvider: ({ name }: { name: string }) => viewProvider(name),
    latestImageDetails: ({ image }: { image: string }) => {
      throw refuse(404, `Unknown repository ${image}`);
    },
    nearestRegion: () => ({ code: world.state.regions[0]?.code, name: world.state.regions[0]?.name }),
    platform: () => ({
      requestRegion: world.state.regions[0]?.code,
      regions: world.state.regions.map(({ code, name }) => ({
        code,
        name,
        latitude: 0,
        longitude: 0,
        gatewayAvailable: true,
      })),
      vmSizes: [],
    }),
  };
}

/** POST /graphql, as https://api.fly.io has it. */
export function answerGraphql(world: World, call: Call): Promise<Answer> {
  const token = authenticate(world, call.headers.authorization);
  return executeGraphql(schema, { ...queries(world, token), ...mutations(world, token) }, call);
}
