/** Where ingest keeps its vectors: CHROMA_PATH, or PERSIST_DIR. */
import { join } from "node:path";

export const chromaPath = process.env.CHROMA_PATH || process.env.PERSIST_DIR || "/data/chroma";
export const embeddingsFile = join(chromaPath, "catalogue", "embeddings.jsonl");
