/** A picture of the visitor's own: chosen by the button, dropped on the page or pasted. */
import { Trouble, shortened } from "./words.js";

const part = (id) => document.getElementById(id);

/** Calls give(file) with each picture. */
export function listenForPictures(give) {
  part("pick").onclick = () => part("file").click();
  part("file").onchange = ({ target }) => {
    if (target.files.length) give(target.files[0]);
    target.value = ""; // the same file may be chosen again
  };
  addEventListener("paste", ({ clipboardData }) => clipboardData.files.length && give(clipboardData.files[0]));
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    addEventListener(type, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      part("drop").hidden = type === "drop" || (type === "dragleave" && event.relatedTarget === null);
      if (type === "drop" && event.dataTransfer.files.length) give(event.dataTransfer.files[0]);
    });
  }
}

/** The trouble with a file that need not be sent to be refused, or null. */
export function unfit(file, mostMegabytes) {
  const name = shortened(file.name || "The picture");
  if (file.type && !file.type.startsWith("image/"))
    return new Trouble(`${name} is not a picture.`, { detail: "Give a photograph, such as a JPEG or PNG file." });
  return file.size > mostMegabytes * 2 ** 20
    ? new Trouble(`${name} is too large.`, { detail: `A picture may have ${mostMegabytes} MB.` })
    : null;
}
