import type { App } from "../components";
import { catscan } from "./catscan";
import { clausea } from "./clausea";
import { hotrod } from "./hotrod";
import { shopifly } from "./shopifly";
import { tileshop } from "./tileshop";

/** Every app that a stack may deploy, one line each. */
export const apps: readonly App[] = [shopifly, catscan, hotrod, tileshop, clausea];
