/* Live numbers of a clean-up. Without this script the page loads itself again. */
"use strict";

const live = document.getElementById("live");
const PAUSE_MS = 5000;
const LOGGED_OUT = 4401;

function show(progress) {
    if (progress.state !== live.dataset.state) {
        location.reload();
        return;
    }
    for (const place of document.querySelectorAll("[data-live]")) {
        const text = String(progress[place.dataset.live]);
        if (place.textContent !== text) {
            place.textContent = text;
        }
    }
    const bar = live.querySelector("progress");
    if (bar) {
        bar.value = progress.percent;
    }
}

function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${live.dataset.socket}`);
    socket.addEventListener("message", (event) => show(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
        if (event.code === LOGGED_OUT) {
            location.reload();
        } else {
            setTimeout(connect, PAUSE_MS);
        }
    });
}

if (live) {
    connect();
}
