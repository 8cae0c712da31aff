import { asked, found, page, type Handler } from "./operation";

/** Blueprints are connected in the dashboard: `POST /rehearsal/blueprints` stands for that. */
export const listBlueprints: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "blueprint",
    Object.values(world.state.blueprints)
      .filter(({ ownerId }) => ownerIds.includes(ownerId) && asked(query, "ownerId", ownerId))
      .map(({ id, name, repo, autoSync }) => ({
        id,
        name,
        repo,
        autoSync,
        status: "in_sync",
        branch: "main",
        path: "render.yaml",
      })),
  );

export const retrieveBlueprint: Handler = (request) => {
  const { id, name, repo, autoSync, resources } = found(
    request,
    request.world.state.blueprints,
    request.values["blueprintId"]!,
  );
  return {
    status: 200,
    body: { id, name, repo, autoSync, status: "in_sync", branch: "main", path: "render.yaml", resources },
  };
};
