/** What the page says: names, times and troubles in plain words; and elements, which take every text as text. */

export const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

/** A long name without its middle: the folder and the ending tell names apart. */
export const shortened = (name, most = 48) => {
  const letters = Array.from(name);
  return letters.length <= most ? name : `${letters.slice(0, most / 2).join("")}…${letters.slice(-most / 3).join("")}`;
};

export const count = (number) => number.toLocaleString("en");
export const photographs = (number) => `${count(number)} photograph${number === 1 ? "" : "s"}`;

export const duration = (ms) => {
  const [value, unit] =
    ms < 1000 ? [ms, "ms"] : ms < 120_000 ? [ms / 1000, "s"] : ms < 7_200_000 ? [ms / 60_000, "min"] : [ms / 3_600_000, "h"];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
};

export const factor = (number) => `${number.toLocaleString("en", { maximumSignificantDigits: 2 })}×`;

/** Something that went wrong: what to say, more about it, whether asking again may help, and after how many seconds. */
export class Trouble extends Error {
  constructor(message, { detail = "", again = false, wait = 0 } = {}) {
    super(message);
    Object.assign(this, { detail, again, wait });
  }
}

const SAID = {
  400: "The server cannot read this question.",
  404: "This photograph is not in the index.",
  408: "The picture took too long to arrive.",
  409: "These photographs cannot be re-ranked.",
  413: "The picture is too large.",
  415: "This file is not a picture that can be read.",
  429: "Too many searches are waiting.",
  503: "The server cannot answer now.",
};

/** The trouble that an answer with an error stands for. */
export const refused = (status, detail, wait) =>
  new Trouble(SAID[status] ?? `The server failed (${status}).`, { detail, again: status === 429 || status >= 500, wait });

export const unreachable = () =>
  navigator.onLine
    ? new Trouble("The server does not answer.", { detail: "Is “vldeformer serve” still running?", again: true })
    : new Trouble("You are offline.", { detail: "The search goes on when the connection is back.", again: true });
