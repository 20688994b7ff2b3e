/** The photographs that were found: rows of one height, each picture in its own shape, one of them in the tab order. */
import { make, shortened } from "./words.js";

const PATIENCE_MS = 400; // thumbs later than this find a box of the usual shape
const SHAPES = [1.5, 0.75, 1.33, 1.33, 1, 1.5, 0.67, 1.33];

/** How far a hit has moved by re-ranking, as [sign for the eye, words for the ear, way]; null if it has not. */
export function moved(hit, ranks) {
  if (!ranks) return null;
  const places = ranks.has(hit.id) ? ranks.get(hit.id) - hit.rank : Infinity;
  if (places === 0) return null;
  if (places === Infinity) return ["▲ new", "from further down", "up"];
  return places > 0 ? [`▲${places}`, `up ${places}`, "up"] : [`▼${-places}`, `down ${-places}`, "down"];
}

export function bar(score) {
  const element = make("span", { className: "bar", ariaHidden: "true" });
  element.style.setProperty("--score", Math.min(1, Math.max(0, score)));
  return element;
}

export class Grid {
  #tiles = new Map();

  /** open(id), similar(id): what a tile does; leave(): the arrow up in the first row. */
  constructor(list, { open, similar, leave }) {
    Object.assign(this, { list, open, similar, leave });
    list.addEventListener("keydown", (event) => this.#pressed(event));
    list.addEventListener("focusin", (event) => this.#choose(event.target.closest("li")));
  }

  /** Boxes where photographs will be. */
  expect() {
    if (this.#tiles.size) return;
    const boxes = Array.from({ length: 24 }, (_, at) => make("li", { className: "awaited", ariaHidden: "true" }));
    boxes.forEach((box, at) => box.style.setProperty("--ratio", SHAPES[at % SHAPES.length]));
    this.list.replaceChildren(...boxes);
  }

  clear() {
    this.#tiles.clear();
    this.list.replaceChildren();
  }

  /** Shows hits once their thumbs are there, so that nothing jumps. ranks: places without re-ranking; slide: let tiles move. */
  async show(hits, { ranks, slide, signal }) {
    const tiles = hits.map((hit) => this.#tiles.get(hit.id) ?? this.#tile(hit.id, hit.thumb));
    const loaded = Promise.allSettled(tiles.map((tile) => tile.loaded));
    await Promise.race([loaded, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
    signal.throwIfAborted();
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const places = new Map(slide ? [...this.#tiles.values()].map((tile) => [tile, tile.getBoundingClientRect()]) : []);
    this.#tiles = new Map(hits.map((hit, at) => [hit.id, tiles[at]]));
    hits.forEach((hit, at) => this.#label(tiles[at], hit, moved(hit, ranks)));
    this.list.replaceChildren(...tiles);
    this.#choose(tiles.find((tile) => tile.contains(focused)) ?? tiles[0]);
    if (focused) (focused.isConnected ? focused : this.#current?.firstChild)?.focus({ preventScroll: true });
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.#slide(places);
  }

  /** Focuses a photograph, the current one without an id. */
  focus(id) {
    (this.#tiles.get(id) ?? this.#current)?.firstChild.focus();
  }

  get #current() {
    return this.list.querySelector("li:has(.tile[tabindex='0'])");
  }

  #tile(id, thumb) {
    const image = make("img", { alt: shortened(id), decoding: "async", draggable: false });
    const tile = make(
      "button",
      { type: "button", className: "tile", title: id },
      make("span", { className: "picture" }, image),
      make("span", { className: "line" }),
    );
    const more = make("button", {
      type: "button",
      className: "like",
      textContent: "More like this",
      ariaLabel: `More like this: ${shortened(id)}`,
    });
    const item = make("li", {}, tile, more);
    item.loaded = new Promise((done) => {
      image.onload = () => {
        if (!item.isConnected)
          item.style.setProperty("--ratio", Math.min(3, Math.max(0.5, image.naturalWidth / image.naturalHeight)));
        item.classList.add("there");
        done();
      };
      image.onerror = () => {
        image.replaceWith(make("bdi", { className: "lost", textContent: shortened(id) }));
        done();
      };
    });
    image.src = thumb;
    tile.onclick = () => this.open(id);
    more.onclick = () => this.similar(id);
    item.dataset.id = id;
    return item;
  }

  #label(item, hit, move) {
    const unseen = (textContent) => make("span", { className: "unseen", textContent });
    const line = item.querySelector(".line");
    line.replaceChildren(unseen("score"), make("span", { textContent: hit.score.toFixed(3) }), bar(hit.score));
    if (move)
      line.append(make("span", { className: `moved ${move[2]}`, textContent: move[0], ariaHidden: "true" }), unseen(move[1]));
  }

  #choose(item) {
    for (const other of this.list.querySelectorAll("button")) other.tabIndex = item?.contains(other) ? 0 : -1;
  }

  #pressed(event) {
    const item = event.target.closest("li");
    if (!item || event.ctrlKey || event.altKey || event.metaKey) return;
    const all = [...this.list.children];
    const at = all.indexOf(item);
    if (event.key.toLowerCase() === "s") return this.similar(item.dataset.id);
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 };
    const next = event.key in steps ? all[steps[event.key]] : this.#across(all, item, { ArrowUp: -1, ArrowDown: 1 }[event.key]);
    if (next === undefined && event.key === "ArrowUp") this.leave();
    if (event.key in steps || event.key.startsWith("Arrow")) event.preventDefault();
    next?.firstChild.focus();
  }

  /** The item above (-1) or below (1) the middle of another. */
  #across(all, item, way) {
    if (!way) return undefined;
    const middle = (one) => one.offsetLeft + one.offsetWidth / 2;
    const tops = all.map((one) => one.offsetTop).filter((top) => (top - item.offsetTop) * way > 1);
    const row = all.filter((one) => one.offsetTop === (way > 0 ? Math.min(...tops) : Math.max(...tops)));
    return row.sort((a, b) => Math.abs(middle(a) - middle(item)) - Math.abs(middle(b) - middle(item)))[0];
  }

  #slide(places) {
    for (const [tile, was] of places) {
      const is = tile.getBoundingClientRect();
      if (!tile.isConnected || (is.x === was.x && is.y === was.y)) continue;
      tile.animate(
        { transform: [`translate(${was.x - is.x}px, ${was.y - is.y}px)`, "none"] },
        { duration: 350, easing: "ease-out" },
      );
    }
  }
}
