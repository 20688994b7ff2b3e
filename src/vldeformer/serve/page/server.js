/** Questions to the server. Each gives its answer, or throws a Trouble; an AbortError if the signal ended it. */
import { Trouble, refused, unreachable } from "./words.js";

const PATIENCE_MS = 120_000; // a re-ranking on a slow machine takes seconds, never minutes

export async function ask(path, { signal, file } = {}) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const body = file && new FormData();
  body?.append("file", file, file.name || "picture");
  try {
    const request = { method: body ? "POST" : "GET", body, signal: AbortSignal.any([patience, ...(signal ? [signal] : [])]) };
    const response = await fetch(path, request);
    if (response.ok) return await response.json();
    const said = await response.json().catch(() => ({}));
    throw refused(
      response.status,
      typeof said?.error === "string" ? said.error : "",
      Number(response.headers.get("Retry-After")) || 0,
    );
  } catch (error) {
    if (error instanceof Trouble || signal?.aborted) throw error;
    throw patience.aborted ? new Trouble("The server takes too long.", { again: true }) : unreachable();
  }
}

/** The path of a question; k: how many photographs. */
export function pathOf({ q, similar, upload }, k, rerank) {
  if (upload !== null) return `/search/image?k=${k}`;
  if (similar !== null) return `/similar/${encodeURIComponent(similar)}?k=${k}`;
  return `/search?${new URLSearchParams({ q, k, rerank: Number(rerank) })}`;
}
