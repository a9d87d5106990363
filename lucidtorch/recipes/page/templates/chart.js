/* Small pictures to move about in: drawn from one sheet, sharp at any distance. Without this file, and on paper, the
   picture of the whole stands in its place. */
"use strict";

addEventListener("DOMContentLoaded", () => {
  const GROWTH = 0.6; // of a picture as one comes closer, so that those that lie over each other come apart
  const CLOSEST = 3; // screen pixels of a picture's pixel where one is closest
  const FAINT = 0.08; // what is left of pictures of other classes
  const STEP = 60; // pixels that an arrow moves
  const TURN = 450; // milliseconds from one arrangement to the next
  const PEEK = 144; // pixels of the picture that is pointed at, on its longer side
  const DOT = 0.34; // the radius of a dot, as a share of a picture's width
  const GREY = "#808080"; // of what has no class

  const start = (figure) => {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const live = figure.querySelector(".live");
    const ground = live.querySelector(".ground");
    const canvas = ground.querySelector("canvas");
    const pen = canvas.getContext("2d");
    const peek = ground.querySelector(".peek");
    const views = live.querySelector(".views");
    const groups = live.querySelector(".groups");
    const dots = live.querySelector(".dots");
    const sheet = new Image();
    const size = { wide: 0, high: 0, times: 1 }; // of the canvas, in pixels of the page, and how many of the screen each is
    const eye = { x: 0, y: 0, scale: 1 }; // the place in the middle, and how many pixels its unit takes
    const ratio = data.height / data.width;
    let view = data.views[Number(views.value)];
    let places = view.places;
    let whole = 1; // the scale at which all is seen
    let over = -1; // the picture that is pointed at
    let waiting = 0;
    let turning = 0;

    /* ---- Where things are ---- */

    const across = () => view.packed
      ? view.side * eye.scale
      : Math.min(view.side * whole * (eye.scale / whole) ** GROWTH, data.width * CLOSEST);

    const onScreen = (number) => [
      (places[number][0] - eye.x) * eye.scale + size.wide / 2,
      (places[number][1] - eye.y) * eye.scale + size.high / 2,
    ];

    const extent = () => {
      const columns = view.places.map((one) => one[0]);
      const rows = view.places.map((one) => one[1]);
      const [left, right] = [columns.reduce((a, b) => Math.min(a, b)), columns.reduce((a, b) => Math.max(a, b))];
      const [top, bottom] = [rows.reduce((a, b) => Math.min(a, b)), rows.reduce((a, b) => Math.max(a, b))];
      return { x: (left + right) / 2, y: (top + bottom) / 2, wide: right - left + view.side, high: bottom - top + view.side * ratio };
    };

    const fit = () => {
      const all = extent();
      whole = Math.min(size.wide / all.wide, size.high / all.high) * 0.97;
      return { x: all.x, y: all.y, scale: whole };
    };

    const closest = () => Math.max(2 * whole, view.packed ? data.width * CLOSEST / view.side : 40 * whole);

    /* ---- Drawing ---- */

    const chosen = (number) => !groups || groups.value === "-2" || data.groups[number] === Number(groups.value);

    const tile = (to, number, x, y, wide) => to.drawImage(
      sheet, number % data.columns * data.width, Math.floor(number / data.columns) * data.height, data.width, data.height, x, y, wide, wide * ratio,
    );

    const dot = (number, x, y, wide) => {
      pen.fillStyle = data.colours[data.groups[number]] || GREY;
      pen.beginPath();
      pen.arc(x, y, Math.max(2, wide * DOT), 0, 2 * Math.PI);
      pen.fill();
    };

    const one = (number, wide) => {
      const [x, y] = onScreen(number);
      const high = wide * ratio;
      if (x < -wide || y < -high || x > size.wide + wide || y > size.high + high) return;
      if (dots && dots.ariaPressed === "true") dot(number, x, y, wide);
      else tile(pen, number, x - wide / 2, y - high / 2, wide);
    };

    const mark = (number, wide) => {
      const [x, y] = onScreen(number);
      pen.lineWidth = 2;
      pen.strokeStyle = "#fff";
      pen.strokeRect(x - wide / 2 - 1, y - wide * ratio / 2 - 1, wide + 2, wide * ratio + 2);
    };

    const draw = () => {
      waiting = 0;
      pen.setTransform(size.times, 0, 0, size.times, 0, 0);
      pen.clearRect(0, 0, size.wide, size.high);
      const wide = across();
      pen.imageSmoothingEnabled = wide * size.times < 2 * data.width;
      pen.imageSmoothingQuality = "medium";
      const numbers = places.map((_, number) => number);
      pen.globalAlpha = FAINT;
      numbers.filter((number) => !chosen(number)).forEach((number) => one(number, wide));
      pen.globalAlpha = 1;
      numbers.filter((number) => number !== over && chosen(number)).forEach((number) => one(number, wide));
      if (over >= 0) { one(over, wide); mark(over, wide); }
    };

    const ask = () => { if (!waiting) waiting = requestAnimationFrame(draw); };

    /* ---- What is pointed at ---- */

    const at = (x, y) => {
      const wide = across();
      let found = -1;
      let least = Infinity;
      places.forEach((_, number) => {
        if (!chosen(number)) return;
        const [left, top] = onScreen(number);
        const [aside, above] = [Math.abs(left - x) / wide, Math.abs(top - y) / (wide * ratio)];
        const far = Math.max(aside, above);
        if (far < 0.55 && far <= least) { found = number; least = far; }
      });
      return found;
    };

    const point = (number) => {
      if (number === over) return;
      over = number;
      peek.hidden = number < 0;
      if (number >= 0) {
        const picture = peek.querySelector("canvas");
        const times = PEEK / Math.max(data.width, data.height);
        const enlarged = times > 1 ? Math.max(1, Math.floor(times)) : times;
        picture.width = Math.round(data.width * enlarged);
        picture.height = Math.round(data.height * enlarged);
        const to = picture.getContext("2d");
        to.imageSmoothingEnabled = enlarged < 1;
        tile(to, number, 0, 0, picture.width);
        const group = data.group_names[data.groups[number]];
        peek.querySelector("p").textContent = group === undefined ? data.names[number] : `${group}\n${data.names[number]}`;
      }
      ask();
    };

    /* ---- Moving ---- */

    const move = (right, down) => {
      const all = extent();
      eye.x = Math.min(all.x + all.wide / 2, Math.max(all.x - all.wide / 2, eye.x - right / eye.scale));
      eye.y = Math.min(all.y + all.high / 2, Math.max(all.y - all.high / 2, eye.y - down / eye.scale));
      ask();
    };

    const nearer = (times, x = size.wide / 2, y = size.high / 2) => {
      const scale = Math.min(closest(), Math.max(whole * 0.8, eye.scale * times));
      const [aside, below] = [x - size.wide / 2, y - size.high / 2];
      eye.x += aside / eye.scale - aside / scale;
      eye.y += below / eye.scale - below / scale;
      eye.scale = scale;
      move(0, 0);
    };

    const showAll = () => { Object.assign(eye, fit()); ask(); };

    /* From one arrangement to another every picture goes straight to its new place. */
    const turn = () => {
      const [before, then] = [places, data.views[Number(views.value)]];
      const [from, began] = [{ ...eye }, performance.now()];
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      view = then;
      point(-1);
      const to = fit();
      const go = (now) => {
        const part = still ? 1 : Math.min(1, Math.max(0, now - began) / TURN);
        const eased = part * part * (3 - 2 * part);
        const between = (a, b) => a + (b - a) * eased;
        places = part < 1 ? before.map((old, number) => old.map((a, axis) => between(a, then.places[number][axis]))) : then.places;
        for (const name of ["x", "y", "scale"]) eye[name] = between(from[name], to[name]);
        draw();
        turning = part < 1 ? requestAnimationFrame(go) : 0;
      };
      cancelAnimationFrame(turning);
      turning = requestAnimationFrame(go);
    };

    /* ---- Mouse, touch and keys ---- */

    const fingers = new Map();
    const inside = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const spread = () => {
      const [[x, y], [right, below]] = [...fingers.values()];
      return { far: Math.hypot(right - x, below - y), x: (x + right) / 2, y: (y + below) / 2 };
    };

    canvas.addEventListener("pointerdown", (event) => {
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, inside(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = inside(event);
      const before = fingers.get(event.pointerId);
      if (!before) { point(at(...now)); return; }
      const was = fingers.size === 2 ? spread() : null;
      fingers.set(event.pointerId, now);
      if (was) {
        const is = spread();
        move(is.x - was.x, is.y - was.y);
        nearer(is.far / Math.max(1, was.far), is.x, is.y);
      } else move(now[0] - before[0], now[1] - before[1]);
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      if (name === "pointerup") point(at(...inside(event)));
    });
    canvas.addEventListener("pointerleave", () => { if (fingers.size === 0) point(-1); });
    canvas.addEventListener("dblclick", (event) => nearer(2, ...inside(event)));

    /* The wheel moves the page until the map is clicked on: nobody shall be caught in it while reading. */
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      nearer(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...inside(event));
    }, { passive: false });

    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
      const times = { "+": 1.25, "=": 1.25, "-": 0.8, "_": 0.8 }[event.key];
      if (way) move(...way);
      else if (times) nearer(times);
      else if (event.key === "0") showAll();
      else return;
      event.preventDefault();
      point(at(size.wide / 2, size.high / 2));
    });

    live.querySelectorAll("[data-nearer]").forEach((button) => button.addEventListener("click", () => {
      if (Number(button.dataset.nearer)) nearer(Number(button.dataset.nearer));
      else showAll();
    }));
    views.addEventListener("change", turn);
    if (groups) groups.addEventListener("change", () => { point(-1); ask(); });
    if (dots) dots.addEventListener("click", () => { dots.ariaPressed = String(dots.ariaPressed !== "true"); ask(); });

    /* ---- Beginning ---- */

    const measure = () => {
      const seenWhole = size.wide === 0 || Math.abs(eye.scale - whole) < 1e-9 * whole;
      size.times = devicePixelRatio || 1;
      [size.wide, size.high] = [ground.clientWidth, ground.clientHeight];
      [canvas.width, canvas.height] = [Math.round(size.wide * size.times), Math.round(size.high * size.times)];
      const all = fit();
      if (seenWhole) Object.assign(eye, all);
      draw();
    };

    sheet.addEventListener("load", () => {
      live.hidden = false;
      figure.classList.add("alive");
      measure();
      new ResizeObserver(measure).observe(ground);
    });
    sheet.src = data.thumbnails;
  };

  document.querySelectorAll(".chart").forEach(start);
});
