/** What stands above the photographs: the picture that was asked with, how long it took, what went wrong. */
import { Trouble, duration, factor, make, photographs, shortened } from "./words.js";

const part = (id) => document.getElementById(id);
const time = (words, ms, title) => make("span", { title }, `${words} `, make("b", { textContent: duration(ms) }));

/** Milliseconds of the search, of re-ranking and of the joint model on all images; null: not known. */
export function showTimes(decomposed, reranked, joint, images) {
  const times = [time("decomposed", decomposed, "The query is encoded alone and compared with stored vectors")];
  if (reranked !== null)
    times.push(time("re-ranked", reranked, "The joint model reads the query together with the best photographs"));
  if (joint !== null) {
    const title = `Extrapolated from the measured time of a pair to ${photographs(images)}`;
    const longer = make("em", {
      textContent: `${factor(joint / decomposed)} as long`,
      className: joint > decomposed ? "gain" : "",
    });
    times.push(make("span", {}, time("joint on every image ≈", joint, title), longer));
  }
  part("times").replaceChildren(...times);
}

/** The picture that the photographs are like; name null: there is none. */
export function showLike(name, url) {
  const [like, image] = [part("like"), part("like").querySelector("img")];
  like.hidden = name === null;
  if (name === null) return;
  Object.assign(like.querySelector("bdi"), { textContent: shortened(name || "your picture"), title: name });
  image.hidden = false;
  image.onerror = () => (image.hidden = true);
  image.src = url;
}

/** Says what went wrong, and offers or does what may help: again(), unless the signal has ended it. */
export function complain(error, again, signal) {
  const unforeseen = () => new Trouble("Something went wrong in this page.", { detail: String(error), again: true });
  const known = error instanceof Trouble ? error : unforeseen();
  const said = [make("h2", { textContent: known.message }), make("p", { textContent: known.detail })];
  if (known.wait) {
    said.push(make("p", { textContent: `Trying again in ${known.wait} s.` }));
    setTimeout(() => signal?.aborted || again(), known.wait * 1000);
  }
  if (known.again) said.push(make("button", { type: "button", textContent: "Try again", onclick: again }));
  part("trouble").replaceChildren(...said);
}

export const forgive = () => part("trouble").replaceChildren();

/** As if "Try again" were pressed, if it is there. */
export const tryAgain = () => part("trouble").querySelector("button")?.click();
