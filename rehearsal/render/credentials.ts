import { without } from "../platform/without";
import { asked, found, requireOwner, type Handler, type Request } from "./operation";
import type { RegistryCredential } from "./state";
import { isoTime, newId, present } from "./world";

/** Its token is told to nobody. */
const view = ({ id, name, registry, username, updatedAt }: RegistryCredential): Record<string, unknown> => ({
  ...{ id, name, registry, username, updatedAt: isoTime(updatedAt) },
});

const credentialOf = (request: Request): RegistryCredential =>
  found(request, request.world.state.credentials, request.values["registryCredentialId"]!);

export const createRegistryCredential: Handler = (request) => {
  const { world } = request;
  const body = request.body as Omit<RegistryCredential, "id" | "updatedAt">;
  requireOwner(request, body.ownerId);
  const made = { ...body, id: newId("rgc"), updatedAt: world.clock.now() };
  world.state.credentials[made.id] = made;
  world.store.save();
  return { status: 200, body: view(made) };
};

/** Not in pages' form, other than the rest. */
export const listRegistryCredentials: Handler = ({ world, ownerIds, query }) => ({
  status: 200,
  body: Object.values(world.state.credentials)
    .filter(
      ({ ownerId, name }) =>
        ownerIds.includes(ownerId) && asked(query, "ownerId", ownerId) && asked(query, "name", name),
    )
    .map(view),
});

export const retrieveRegistryCredential: Handler = (request) => ({ status: 200, body: view(credentialOf(request)) });

export const updateRegistryCredential: Handler = (request) => {
  const credential = credentialOf(request);
  Object.assign(credential, present(request.body as Partial<RegistryCredential>), {
    updatedAt: request.world.clock.now(),
  });
  request.world.store.save();
  return { status: 200, body: view(credential) };
};

export const deleteRegistryCredential: Handler = (request) => {
  const { id } = credentialOf(request);
  request.world.state.credentials = without(request.world.state.credentials, id);
  request.world.store.save();
  return { status: 204 };
};
