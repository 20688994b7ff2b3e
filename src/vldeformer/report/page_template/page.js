"use strict";
const root = document.documentElement;
const themes = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const button = document.getElementById("theme");
function use(theme) {
  root.dataset.theme = theme;
  button.textContent = themes[theme];
  try { localStorage.setItem("theme", theme); } catch { /* a page opened from a file may have no storage */ }
}
let kept = "auto";
try { kept = localStorage.getItem("theme") || "auto"; } catch { /* as above */ }
use(kept in themes ? kept : "auto");
button.hidden = false;
button.addEventListener("click", () => {
  const names = Object.keys(themes);
  use(names[(names.indexOf(root.dataset.theme) + 1) % names.length]);
});
/* A link may lead into a part that is folded: unfold it. */
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();
