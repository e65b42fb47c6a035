// A page with data-progress does a step of its work each time it is asked: ask until it is done, then show the result.
"use strict";

const bar = document.querySelector("[data-progress]");

async function goOn() {
    for (let failures = 0; failures < 5; ) {
        try {
            const answer = await fetch(window.location.href, { headers: { Accept: "application/json" } });
            const { done, working } = await answer.json();
            bar.querySelector("progress").value = done;
            bar.querySelector("[data-done]").textContent = done;
            if (!working) break;
            failures = 0;
        } catch {
            failures += 1;
        }
        await new Promise((wait) => setTimeout(wait, 250 + 1000 * failures));
    }
    window.location.reload();
}

if (bar) goOn();
