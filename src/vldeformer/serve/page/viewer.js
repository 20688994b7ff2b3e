/** One photograph, large, over the page. */
import { bar, moved } from "./grid.js";
import { count, make, shortened } from "./words.js";

export class Viewer {
  /** turn(hit): another photograph is asked for; closed(): it was closed; similar(id): more like it. */
  constructor(dialog, { turn, closed, similar }) {
    Object.assign(this, { dialog, turn });
    this.part = (selector) => dialog.querySelector(selector);
    dialog.addEventListener("close", closed);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", ({ key, repeat }) => repeat || this.#step({ ArrowLeft: -1, ArrowRight: 1 }[key]));
    this.part(".frame").addEventListener(
      "touchstart",
      ({ touches }) => (this.touched = touches.length === 1 ? touches[0] : null),
      { passive: true },
    );
    this.part(".frame").addEventListener("touchend", ({ changedTouches }) => this.#swiped(changedTouches[0]));
    this.part(".previous").onclick = () => this.#step(-1);
    this.part(".next").onclick = () => this.#step(1);
    this.part(".close").onclick = () => dialog.close();
    this.part(".similar").onclick = () => similar(this.hits[this.at].id);
    this.part("img").onerror = () => dialog.classList.add("failed");
  }

  /** Shows one of the hits; ranks: their places without re-ranking. */
  show(hits, at, ranks) {
    const hit = hits[at];
    const another = this.shown !== hit.id || !this.dialog.open;
    Object.assign(this, { hits, at, shown: hit.id });
    if (another) this.#load(hit, hits[at + 1]);
    Object.assign(this.part("bdi"), { textContent: shortened(hit.id), title: hit.id });
    const facts = [
      `${count(hit.rank)} of ${count(hits.length)}`,
      make("span", { title: "Cosine of the query and the photograph" }, `score ${hit.score.toFixed(3)} `, bar(hit.score)),
    ];
    if (hit.joint !== null)
      facts.push(
        make("span", { textContent: `joint score ${hit.joint.toFixed(2)}`, title: "Log-odds of a match, by the joint model" }),
      );
    const move = moved(hit, ranks);
    if (move) facts.push(`${move[1]} by re-ranking`);
    this.part(".facts").replaceChildren(...facts.map((fact) => make("span", {}, fact)));
    this.part(".file").href = hit.image;
    // A disabled button would lose the focus, and the arrow keys with it.
    this.part(".previous").ariaDisabled = String(at === 0);
    this.part(".next").ariaDisabled = String(at === hits.length - 1);
    if (!this.dialog.open) this.dialog.showModal();
  }

  close() {
    this.dialog.close();
  }

  #step(by) {
    const hit = by && this.hits[this.at + by];
    if (hit) this.turn(hit);
  }

  /** A finger moved sideways turns to the next one; a zoomed photograph is looked at. */
  #swiped(at) {
    const [across, along] = this.touched ? [at.clientX - this.touched.clientX, at.clientY - this.touched.clientY] : [0, 0];
    if (Math.abs(across) > 50 && Math.abs(across) > 2 * Math.abs(along) && (visualViewport?.scale ?? 1) < 1.05)
      this.#step(across < 0 ? 1 : -1);
  }

  /** The thumb is there at once; the photograph takes its place when it has come, and the next one is on its way. */
  #load(hit, next) {
    this.dialog.classList.remove("failed");
    const [shown, large] = [this.part("img"), new Image()];
    shown.src = hit.thumb;
    shown.alt = shortened(hit.id);
    large.onload = () => {
      if (this.shown === hit.id) shown.src = hit.image;
      if (next) new Image().src = next.image;
    };
    large.src = hit.image;
  }
}
