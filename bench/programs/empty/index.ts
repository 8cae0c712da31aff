import * as command from "@pulumi/command";
import * as random from "@pulumi/random";

const { hex } = new random.RandomId("id", { byteLength: 4 });
const { stdout } = new command.local.Command("nothing", { create: "true", stdin: hex });

export { hex, stdout };
