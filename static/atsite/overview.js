// Keeps the numbers of the overview moving over a websocket; without it the page stays as the server made it.
"use strict";

(() => {
    const STATES = ["at-ok", "at-quiet", "at-look", "at-act"];
    const LOGGED_OUT = 4401; // the server's word for a session that is over (atsite/dashboard/live.py)
    const FIRST_WAIT_MS = 1000;
    const LONGEST_WAIT_MS = 30000;
    const SILENCE_MS = 10000; // the server sends each second

    const live = document.getElementById("live");
    const word = live.querySelector("[data-live=word]");
    const at = live.querySelector("[data-live=at]");
    let wait = FIRST_WAIT_MS;
    let silence = 0;

    function setText(element, text) {
        if (element && element.textContent !== text) {
            element.textContent = text;
        }
    }

    function setState(element, state) {
        element.classList.remove(...STATES);
        element.classList.add("at-" + state);
    }

    function show(attribute, entry) {
        const element = document.querySelector("[data-" + attribute + "=\"" + CSS.escape(entry.key) + "\"]");
        if (!element) {
            return;
        }
        for (const field of element.querySelectorAll("[data-field]")) {
            setText(field, entry[field.dataset.field]);
            if (field.dataset.field === "word") {
                setState(field, entry.state);
            }
        }
        if (attribute === "tile") {
            setState(element, entry.state);
        }
    }

    function say(isLive, text) {
        live.dataset.state = isLive ? "live" : "still";
        setText(word, text);
        setState(word, isLive ? "ok" : "quiet");
    }

    function connect() {
        const scheme = location.protocol === "https:" ? "wss://" : "ws://";
        const socket = new WebSocket(scheme + location.host + "/admin/live/");
        const watch = () => {
            clearTimeout(silence);
            silence = setTimeout(() => socket.close(), SILENCE_MS);
        };
        socket.addEventListener("open", watch);
        socket.addEventListener("message", (event) => {
            watch();
            const overview = JSON.parse(event.data);
            wait = FIRST_WAIT_MS;
            say(true, "live");
            setText(at, overview.at);
            overview.tiles.forEach((tile) => show("tile", tile));
            overview.tasks.forEach((task) => show("task", task));
            overview.tables.forEach((table) => show("table", table));
        });
        socket.addEventListener("close", (event) => {
            clearTimeout(silence);
            if (event.code === LOGGED_OUT) {
                say(false, "logged out");
                return;
            }
            say(false, "not live");
            setTimeout(connect, wait);
            wait = Math.min(wait * 2, LONGEST_WAIT_MS);
        });
    }

    connect();
})();
