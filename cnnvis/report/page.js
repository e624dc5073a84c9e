"use strict";

// A click on a figure shows it at full size; Escape or another click closes it.
const dialog = document.querySelector("dialog");
dialog.addEventListener("click", () => dialog.close());
for (const button of document.querySelectorAll("button.enlarge")) {
  button.addEventListener("click", () => {
    dialog.replaceChildren(button.querySelector("img").cloneNode());
    dialog.showModal();
  });
}

// A 3-D view, or linked ones, are a page of their own, kept as text until it is asked for.
async function load(stage) {
  const packed = Uint8Array.from(atob(stage.querySelector("script").textContent), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(unpacked).arrayBuffer();
  const frame = document.createElement("iframe");
  frame.title = stage.dataset.title;
  frame.src = URL.createObjectURL(new Blob([bytes], { type: "text/html" }));
  stage.replaceChildren(frame);
}
for (const button of document.querySelectorAll(".stage > button")) {
  button.addEventListener("click", () => {
    button.disabled = true;
    button.textContent = "Loading …";
    load(button.parentElement).catch((error) => { button.textContent = `It did not load: ${error.message}`; });
  });
}
