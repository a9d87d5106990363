/* A picture, large: with the keys ← and → from one to the next. Without this file a picture is a link to its file. */
"use strict";

addEventListener("DOMContentLoaded", () => {
  const MOST_TIMES = 6; // how often a pixel is repeated at most
  const zoom = document.getElementById("zoom");
  const picture = zoom.querySelector(".stage img");
  const links = [...document.querySelectorAll("a.zoom")];
  let at = 0;
  let whole = true; // whether a picture larger than the window is scaled down

  const fit = () => {
    const room = Math.min((innerWidth * 0.96 - 34) / picture.naturalWidth, (innerHeight * 0.96 - 190) / picture.naturalHeight);
    const times = room >= 1 ? Math.min(MOST_TIMES, Math.floor(room)) : whole ? room : 1;
    picture.style.width = `${Math.round(picture.naturalWidth * times)}px`;
    picture.classList.toggle("crisp", times >= 2);
    picture.classList.toggle("larger", room < 1 && whole);
    picture.classList.toggle("smaller", room < 1 && !whole);
  };

  const show = (place) => {
    at = (place + links.length) % links.length;
    whole = true;
    const link = links[at];
    const figure = link.closest("figure");
    const small = link.querySelector("img");
    picture.src = link.href;
    picture.alt = small.alt;
    picture.width = small.width;
    zoom.querySelector(".caption").textContent = figure ? figure.querySelector(".name").textContent : small.alt;
    const said = figure ? [...figure.querySelectorAll(".note, .objective, .small")] : [];
    zoom.querySelector(".known").replaceChildren(...said.map((one) => one.cloneNode(true)));
    zoom.querySelector(".place").textContent = `${at + 1} of ${links.length}`;
    zoom.querySelector(".file").href = link.href;
  };

  picture.addEventListener("load", fit);
  picture.addEventListener("click", () => { whole = !whole; fit(); });
  addEventListener("resize", () => { if (zoom.open) fit(); });
  links.forEach((link, place) => link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(place);
    zoom.showModal();
    zoom.querySelector(".stage").focus();
  }));
  zoom.querySelectorAll("[data-turn]").forEach((button) => {
    button.addEventListener("click", () => show(at + Number(button.dataset.turn)));
  });
  zoom.addEventListener("keydown", (event) => {
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (turn) { event.preventDefault(); show(at + turn); }
  });
  zoom.addEventListener("click", (event) => { if (event.target === zoom) zoom.close(); });
  zoom.addEventListener("close", () => links[at].focus());

  /* Pictures further down are on paper too. */
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("img[loading]")) one.loading = "eager";
  });
});
