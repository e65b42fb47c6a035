// A field with data-query="URL": beside it stands what is wrong with the query, and where, while one types.
"use strict";

const PAUSE_MS = 350;
const CONTEXT = 24;

/** The text around the fault, with a mark before its character. */
function around(text, at) {
    const characters = Array.from(text); // the place counts characters, not UTF-16 units
    const place = document.createElement("code");
    const mark = document.createElement("mark");
    mark.textContent = characters[at] ?? "…";
    const before = characters.slice(Math.max(0, at - CONTEXT), at).join("");
    const after = characters.slice(at + 1, at + 1 + CONTEXT).join("");
    place.append((at > CONTEXT ? "…" : "") + before, mark, after + (at + CONTEXT + 1 < characters.length ? "…" : ""));
    return place;
}

function show(said, field, { problem, at, read_as, note }) {
    said.replaceChildren();
    said.className = problem ? "pg-query pg-wrong" : "pg-query pg-quiet";
    field.toggleAttribute("aria-invalid", Boolean(problem));
    if (problem) {
        said.append(problem + " ", around(field.value, at));
    } else if (read_as) {
        const code = document.createElement("code");
        code.textContent = read_as;
        said.append("Read as ", code);
        if (note) said.append(document.createElement("br"), note);
    }
}

function watch(field) {
    const said = document.createElement("p");
    said.setAttribute("role", "status");
    said.className = "pg-query pg-quiet";
    field.after(said);
    const token = field.form.querySelector("[name=csrfmiddlewaretoken]").value;
    let waiting = 0;
    let asked = 0;
    async function check() {
        const mine = ++asked;
        try {
            const answer = await fetch(field.dataset.query, {
                method: "POST",
                headers: { "X-CSRFToken": token },
                body: new URLSearchParams({ query: field.value }),
            });
            const judged = answer.ok ? await answer.json() : null;
            if (judged && mine === asked) show(said, field, judged);
        } catch {
            // the form says it when it is sent
        }
    }
    field.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(check, PAUSE_MS);
    });
    if (field.value.trim()) check();
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("textarea[data-query]").forEach(watch));
