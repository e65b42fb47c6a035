// What is wrong with the page to look at: a list of sentences. Run in the page by tests/admin/looking.py.
async () => {
    await new Promise((later) => setTimeout(later)); // names.js gives its last names in a task after the page's load

    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
        .getContext("2d", { willReadFrequently: true });
    const known = new Map();

    // Any CSS colour as [red, green, blue, alpha].
    function colour(text) {
        if (!known.has(text)) {
            context.clearRect(0, 0, 1, 1);
            context.fillStyle = text;
            context.fillRect(0, 0, 1, 1);
            const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
            known.set(text, [red, green, blue, alpha / 255]);
        }
        return known.get(text);
    }

    const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);

    function ground(element) {
        const layers = [];
        for (let each = element; each; each = each.parentElement) {
            const layer = colour(getComputedStyle(each).backgroundColor);
            if (layer[3] > 0) layers.unshift(layer);
            if (layer[3] === 1) break;
        }
        return layers.reduce((back, front) => over(front, back), [255, 255, 255, 1]);
    }

    function light(rgb) {
        const [red, green, blue] = rgb.map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    }

    function contrast(element) {
        const back = ground(element);
        const front = over(colour(getComputedStyle(element).color), back);
        const [dark, bright] = [light(front.slice(0, 3)), light(back.slice(0, 3))].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05);
    }

    const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
        && element.getBoundingClientRect().width > 1;
    const short = (text) => text.trim().replace(/\s+/g, " ").slice(0, 40);
    const found = new Set();

    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || !seen(element)) continue;
        if (element.closest(":disabled, [aria-hidden=true], .material-symbols-outlined, script, style, option")) continue;
        const ratio = contrast(element);
        if (ratio < 4.5) found.add(`contrast ${ratio.toFixed(2)}: ${short(node.data)} <${element.className}>`);
    }

    for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
        const named = field.labels?.length || field.ariaLabel || field.getAttribute("aria-labelledby") || field.title;
        if (seen(field) && !named) found.add(`no label: ${field.name || field.id} (${field.type})`);
    }
    for (const pressed of document.querySelectorAll("a[href], button, [role=button]")) {
        const icons = [...pressed.querySelectorAll(".material-symbols-outlined")].map((icon) => icon.textContent).join("");
        const words = pressed.textContent.replace(/\s/g, "").length - icons.replace(/\s/g, "").length;
        if (seen(pressed) && words <= 0 && !pressed.ariaLabel && !pressed.title && !pressed.querySelector("img[alt]")) {
            found.add(`no name: ${short(pressed.outerHTML)}`);
        }
    }

    // What reaches out of the window, unless a box of its own scrolls or cuts it.
    const edge = document.documentElement.clientWidth;
    for (const element of document.querySelectorAll("#main *")) {
        const box = element.getBoundingClientRect();
        if (box.right <= edge + 1 || !seen(element)) continue;
        let inside = element.parentElement;
        while (inside && getComputedStyle(inside).overflowX === "visible") inside = inside.parentElement;
        if (!inside || inside === document.body || inside === document.documentElement) {
            found.add(`reaches out by ${Math.round(box.right - edge)} px: ${short(element.outerHTML)}`);
        }
    }
    return [...found];
}
