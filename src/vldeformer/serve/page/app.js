/** The search page: its address says what is asked (?q=, ?similar=, &rerank=1, #photo=), so back, reload and share work. */
import { complain, forgive, showLike, showTimes, tryAgain } from "./facts.js";
import { Grid } from "./grid.js";
import { listenForPictures, unfit } from "./picture.js";
import { ask, pathOf } from "./server.js";
import { Viewer } from "./viewer.js";
import { Trouble, count, duration, make, photographs } from "./words.js";

/** Photographs that fill the window; as many more at each "Show more". */
const STEP = Math.min(96, Math.max(24, Math.ceil((innerWidth * innerHeight) / 70_000)));
const PAUSE_MS = 200; // after the last letter
const RERANK_PAUSE_MS = 500; // re-ranking is dear: typing has ended by then

const part = (id) => document.getElementById(id);
const EMPTY = "This index holds no photographs yet. “vldeformer index” adds some.";
const [box, list] = [part("box"), part("photographs")];
const uploads = new Map(); // time → {file, url}; an address cannot hold a picture, so these live as long as the page
let info = null;
let asked = null; // what the photographs shown answer, or are about to
let found = { hits: [], ranks: null }; // what is shown, and places without re-ranking
let running = new AbortController();
let timer = 0;
let typing = false; // letters typed in one go are one step back

const grid = new Grid(list, { open: (id) => go({ photo: id }, { opened: true }), similar: moreLike, leave: () => box.focus() });
const viewer = new Viewer(part("viewer"), {
  turn: (hit) => go({ photo: hit.id }, { replace: true, opened: history.state?.opened }),
  closed,
  similar: moreLike,
});

/** What the address asks for. */
function read() {
  const [search, hash] = [new URLSearchParams(location.search), new URLSearchParams(location.hash.slice(1))];
  return {
    q: (search.get("q") ?? "").trim(),
    similar: search.get("similar"),
    upload: history.state?.upload ?? null,
    rerank: search.get("rerank") === "1",
    photo: hash.get("photo"),
  };
}

/** Changes the address, and shows what it then asks for. */
function go(changes, { replace = false, opened = false, ...how } = {}) {
  const state = { ...read(), ...changes };
  const search = new URLSearchParams();
  if (state.q) search.set("q", state.q);
  if (state.similar !== null) search.set("similar", state.similar);
  if (state.rerank) search.set("rerank", "1");
  const hash = state.photo === null ? "" : `#${new URLSearchParams({ photo: state.photo })}`;
  const address = `/${search.size ? `?${search}` : ""}${hash}`;
  history[replace ? "replaceState" : "pushState"]({ upload: state.upload, opened }, "", address);
  return sync(how);
}

async function sync({ pause = 0 } = {}) {
  const state = read();
  const question = JSON.stringify([state.q, state.similar, state.upload, state.rerank]);
  if (state.photo === null) viewer.close();
  if (question !== asked) {
    if (box.value.trim() !== state.q) box.value = state.q;
    part("rerank").checked = state.rerank;
    asked = question;
    if (!(await search(state, Math.min(STEP, info.max_k), pause))) return false;
  }
  const { photo } = read();
  const at = found.hits.findIndex((hit) => hit.id === photo);
  if (at >= 0) viewer.show(found.hits, at, found.ranks);
  else viewer.close();
  return true;
}

/** Asks and shows; true when all is shown, false when it failed or something else was asked meanwhile. */
async function search(state, k, pause) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const nothing = !state.q && state.similar === null && state.upload === null;
  forgive();
  part("welcome").hidden = !nothing;
  document.body.classList.toggle("asked", !nothing);
  part("switch").hidden = !info.joint || state.similar !== null || state.upload !== null;
  document.title = `${nothing ? "Search" : state.q || "More like this"} · ${info.name}`;
  showPicture(state);
  if (nothing) {
    forget();
    return true;
  }
  const subject = JSON.stringify([state.q, state.similar, state.upload]);
  const late = setTimeout(() => grid.expect(), 120);
  list.ariaBusy = "true";
  try {
    const file = state.upload === null ? undefined : (uploads.get(state.upload) ?? lostUpload()).file;
    const plain = await ask(pathOf(state, k, false), { signal, file });
    clearTimeout(late);
    const ordered = state.rerank && found.ranks && found.subject === subject; // not back and forth for "Show more"
    if (!ordered) await present(plain, null, { signal, k, subject });
    if (state.rerank && info.joint && state.q && plain.hits.length) {
      await new Promise((done) => setTimeout(done, pause));
      signal.throwIfAborted();
      part("status").textContent = "Re-ranking …";
      await present(await ask(pathOf(state, k, true), { signal }), plain, { signal, k, subject });
    }
  } catch (error) {
    if (signal.aborted) return false;
    if (found.subject !== subject) forget(); // what was found stays when only its re-ranking failed
    complain(error, () => search(state, k, 0), signal);
    return false;
  } finally {
    clearTimeout(late);
    if (!signal.aborted) list.ariaBusy = "false";
  }
  return true;
}

/** Shows an answer. plain: the answer before re-ranking, if this one is re-ranked. */
async function present(answer, plain, { signal, k, subject }) {
  const ranks = plain && new Map(plain.hits.map((hit) => [hit.id, hit.rank]));
  await grid.show(answer.hits, { ranks, slide: found.subject === subject, signal });
  found = { hits: answer.hits, ranks, subject };
  const first = (plain ?? answer).times_ms;
  const best = answer.hits.filter((hit) => hit.joint !== null).length;
  part("status").textContent = answer.hits.length
    ? `${photographs(answer.hits.length)} in ${duration(first.total)}${plain ? `, ${count(best)} re-ranked` : ""}`
    : info.images
      ? "Nothing was found."
      : EMPTY;
  // Without waiting for other requests, as the joint time is measured.
  const work = (times) => (times.encode ?? 0) + times.search + (times.rerank ?? 0);
  showTimes(work(first), plain && work(answer.times_ms), answer.joint_all_ms, info.images);
  part("note").textContent = answer.note ?? "";
  part("note").hidden = !answer.note;
  part("more").hidden = answer.hits.length < k || k >= Math.min(info.max_k, info.images);
  part("more").onclick = showMore;
  if (viewer.dialog.open) sync();
}

function showPicture({ similar, upload }) {
  const given = uploads.get(upload);
  if (similar !== null) showLike(similar, `/thumb/${encodeURIComponent(similar)}`);
  else showLike(given?.file.name ?? null, given?.url);
}

async function showMore() {
  const shown = found.hits.length;
  if ((await search(read(), Math.min(shown + STEP, info.max_k), 0)) && part("more").hidden) grid.focus(found.hits[shown]?.id);
}

function forget() {
  grid.clear();
  list.ariaBusy = "false";
  found = { hits: [], ranks: null };
  part("status").textContent = "";
  part("times").replaceChildren();
  part("note").hidden = part("more").hidden = true;
}

function lostUpload() {
  throw new Trouble("The picture is gone.", {
    detail: "A picture is not kept when the page is loaded again; give it once more.",
  });
}

function searchPicture(file) {
  if (!info) return;
  const wrong = unfit(file, info.max_upload_mb);
  if (wrong) return complain(wrong);
  const upload = Date.now();
  uploads.set(upload, { file, url: URL.createObjectURL(file) });
  go({ q: "", similar: null, upload, photo: null });
}

async function moreLike(id) {
  scrollTo({ top: 0 });
  if (await go({ q: "", similar: id, upload: null, photo: null })) grid.focus(found.hits[0]?.id);
}

/** The dialog was closed: by its own means, or because the address says so. */
function closed() {
  const { photo } = read();
  if (photo === null) return;
  if (history.state?.opened) history.back();
  else go({ photo: null }, { replace: true });
  grid.focus(photo);
}

function searchText(pause) {
  clearTimeout(timer);
  const [q, replace] = [box.value.trim(), typing];
  typing = pause > 0;
  if (!info) return;
  if (q !== read().q) go({ q, similar: null, upload: null, photo: null }, { replace, pause });
  else if (!pause) tryAgain();
}

function listen() {
  box.oninput = (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(searchText, PAUSE_MS, RERANK_PAUSE_MS);
  };
  box.addEventListener("compositionend", box.oninput);
  box.onblur = () => (typing = false);
  box.onkeydown = (event) => {
    if (event.key !== "ArrowDown" || !found.hits.length) return;
    event.preventDefault();
    grid.focus();
  };
  part("form").onsubmit = (event) => {
    event.preventDefault();
    searchText(0);
  };
  part("home").onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ q: "", similar: null, upload: null, photo: null });
    box.focus();
  };
  part("rerank").onchange = (event) => go({ rerank: event.target.checked }, { replace: true });
  part("like").querySelector("button").onclick = part("home").onclick;
  listenForPictures(searchPicture);
  addEventListener("popstate", () => sync());
  addEventListener("online", tryAgain);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target === box || viewer.dialog.open) return;
    event.preventDefault();
    box.select();
  });
}

async function start() {
  forgive();
  try {
    info = await ask("/info");
  } catch (error) {
    return complain(error, start);
  }
  part("home").textContent = info.name;
  part("holds").textContent = info.images ? `${photographs(info.images)}. Say what you are looking for.` : EMPTY;
  box.disabled = part("pick").disabled = part("rerank").disabled = !info.images;
  const example = (text) => make("button", { type: "button", textContent: text, onclick: () => go({ q: text }) });
  part("examples").replaceChildren(...info.examples.map((text) => make("li", {}, example(text))));
  if (await sync()) if (!read().q && matchMedia("(hover: hover)").matches) box.focus();
}

listen();
start();
