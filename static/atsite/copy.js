// Buttons with data-copy="ID" copy the text of that element, and say so.
"use strict";

document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const selection = window.getSelection();
    selection.selectAllChildren(source);
    let copied = false;
    try {
        await navigator.clipboard.writeText(source.textContent.trim());
        copied = true;
    } catch {
        copied = document.execCommand("copy"); // a page that came over plain http has no clipboard of its own
    }
    document.getElementById(button.dataset.told).textContent = copied
        ? "Copied."
        : "It is selected: copy it with Ctrl+C.";
});
