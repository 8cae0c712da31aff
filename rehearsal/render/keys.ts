import { chance, newId, type World } from "./world";

/** Makes a key of some workspaces, which are made if they aren't there. */
export function addKey(world: World, names: readonly string[]): string {
  const { state } = world;
  for (const name of names) {
    if (state.owners.some((owner) => owner.name === name)) continue;
    state.owners.push({ id: newId("tea"), name, email: `${name}@example.com`, type: "team" });
  }
  const ownerIds = state.owners.filter(({ name }) => names.includes(name)).map(({ id }) => id);
  const key = `rnd_${chance(28)}`;
  state.apiKeys.push({ key, ownerIds });
  world.store.save();
  return key;
}
