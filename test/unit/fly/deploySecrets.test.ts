import assert from "node:assert/strict";
import type { FlySpec } from "../../../targets/fly/plan";
import { Scene, shop, specOf, stored, web } from "./scene";

const release = { group: "web", command: "npm run migrate", timeoutSeconds: 300 };
const of = (image: string, secrets: Record<string, string>, group = stored): FlySpec =>
  specOf(shop([group(image)], { secrets, release }));
const secretsOf = (scene: Scene) => scene.fly.apps.get("shop-prod")!.secrets;
const names = (scene: Scene): string[] => [...secretsOf(scene).keys()].filter((name) => !name.startsWith("HOMEPORT_"));
const marks = (scene: Scene): number => secretsOf(scene).size - names(scene).length;

/** Fly tells no secret's value, so one that is taken away can't be put back. */
describe("secrets of a Fly app", () => {
  for (const [words, image] of [
    ["isn't healthy", "bad@sha256:2"],
    ["fails its release command", "badrelease@sha256:2"],
    ["has no room", "noroom@sha256:2"],
  ] as const) {
    it(`that a version doesn't name stay where it ${words}`, async () => {
      for (const group of [stored, web]) {
        const scene = new Scene();
        await scene.up(of("app@sha256:1", { OLD: "v-old-1" }, group));
        if (image.startsWith("noroom")) scene.fly.crowded.add(image);
        await assert.rejects(scene.up(of(image, { NEW: "v-new-1" }, group)));
        assert.equal(secretsOf(scene).get("OLD"), "v-old-1");
        await scene.up(of("app@sha256:1", { OLD: "v-old-1" }, group));
        assert.deepEqual([names(scene), marks(scene)], [["OLD"], 1]);
        assert.ok(scene.state().every((line) => /app@sha256:1 proven$/.test(line)));
      }
    });
  }

  it("that aren't named any more go last, and no machine restarts for it", async () => {
    const scene = new Scene();
    await scene.up(of("app@sha256:1", { OLD: "v-old-1" }));
    scene.fly.log.length = 0;
    await scene.up(of("app@sha256:2", { NEW: "v-new-1" }));
    const posts = scene.fly.changing();
    assert.match(
      posts.slice(posts.lastIndexOf("POST /apps/shop-prod/secrets")).join(" "),
      /^POST \/apps\/shop-prod\/secrets( DELETE \S+\/lease)+$/,
    );
    assert.deepEqual(names(scene), ["NEW"]);
    scene.fly.log.length = 0;
    await scene.up(of("app@sha256:2", { NEW: "v-new-1" }));
    assert.deepEqual(scene.fly.changing(), []);
  });

  it("that aren't named any more go although the run before was killed at any call, without a restart then", async () => {
    const [before, now] = [of("app@sha256:1", { OLD: "v-old-1" }), of("app@sha256:2", { NEW: "v-new-1" })];
    const whole = new Scene();
    await whole.up(before);
    const first = whole.fly.calls;
    await whole.up(now);
    const count = whole.fly.calls - first;
    for (let at = 0; at < count; at++) {
      const scene = new Scene();
      await scene.up(before);
      const kill = scene.fly.calls + at;
      scene.fly.fault = (call) => (call === kill ? "crash after" : "none");
      await assert.rejects(scene.up(now), /killed/);
      scene.fly.fault = () => "none";
      const isThrough = scene.state().every((line) => line.endsWith("app@sha256:2 proven"));
      scene.fly.log.length = 0;
      await scene.up(now);
      assert.deepEqual([names(scene), marks(scene)], [["NEW"], 1], `after a kill at call ${at}`);
      if (isThrough) assert.ok(!scene.fly.changing().some((line) => /machines\/\w+$|restart|stop|start/.test(line)));
      scene.fly.log.length = 0;
      await scene.up(now);
      assert.deepEqual(scene.fly.changing(), [], `the third run after a kill at call ${at}`);
    }
  });

  it("that became plain variables go first, as they would hide these", async () => {
    const scene = new Scene();
    await scene.up(of("app@sha256:1", { PORT: "9999", OLD: "v-old-1" }));
    let seen: string[] | undefined;
    scene.fly.onChange = () => {
      if (scene.machines().some(({ config }) => config.image === "app@sha256:2")) seen ??= names(scene);
    };
    await scene.up(of("app@sha256:2", {}));
    assert.deepEqual([seen, names(scene)], [["OLD"], []]);
  });

  it("that a person set are taken away by a deploy that changes nothing else, and nothing restarts", async () => {
    const scene = new Scene();
    await scene.up(of("app@sha256:1", { KEY: "v-key-1" }));
    secretsOf(scene).set("THEIRS", "x");
    scene.fly.log.length = 0;
    const { changes } = await scene.up(of("app@sha256:1", { KEY: "v-key-1" }));
    assert.deepEqual(scene.fly.changing(), ["POST /apps/shop-prod/secrets"]);
    assert.deepEqual(changes, ["shop-prod: secrets of before are removed: THEIRS"]);
  });
});
