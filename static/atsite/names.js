// Names for what the theme and Django's own scripts show as a picture alone, for those who hear the page.
"use strict";

(() => {
    const LINKS = { clocklink: "Choose a time", calendarlink: "Choose a date" };

    function name(root) {
        for (const icon of root.querySelectorAll(".material-symbols-outlined:not([aria-label], button, a)")) {
            icon.setAttribute("aria-hidden", "true");
        }
        for (const home of root.querySelectorAll("#nav-sidebar a:has(> .material-symbols-outlined:only-child)")) {
            home.setAttribute("aria-label", "Overview");
        }
        for (const [id, text] of Object.entries(LINKS)) {
            for (const link of root.querySelectorAll("a[id^=" + id + "]")) link.setAttribute("aria-label", text);
        }
        for (const more of root.querySelectorAll("a[href='#'][x-on\\:click*=showActions]")) {
            more.setAttribute("aria-label", "More");
            more.setAttribute("role", "button");
        }
        for (const field of root.querySelectorAll(":is(.vDateField, .vTimeField):not([aria-label])")) {
            field.setAttribute("aria-label", field.placeholder || (field.matches(".vDateField") ? "Date" : "Time"));
        }
        // On a phone the name of a column stands before each of its cells.
        for (const cell of root.querySelectorAll("#result_list [data-label]")) {
            cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
        }
        // The fields of a table of rows are named by the heads of its columns.
        for (const field of root.querySelectorAll(".tabular td :is(input, select, textarea):not([aria-label], [type=hidden])")) {
            const cell = field.closest("td");
            const head = field.closest("table")?.querySelectorAll("thead th")[cell.cellIndex];
            const text = cell.dataset.label || head?.textContent.trim() || field.name.split("-").pop();
            if (!field.labels?.length) field.setAttribute("aria-label", text);
        }
    }

    document.addEventListener("DOMContentLoaded", () => {
        const content = document.getElementById("content");
        content?.setAttribute("role", "main");
        content?.setAttribute("tabindex", "-1"); // where "Skip to the content" leads
        name(document);
    });
    window.addEventListener("load", () => setTimeout(() => name(document))); // after Django's scripts
    document.addEventListener("formset:added", (event) => name(event.target));
})();
