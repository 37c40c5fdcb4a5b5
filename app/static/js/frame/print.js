// Which file stands in the frame: the preview first, the original once one looks closer than it can show.

const PREVIEW = 1600;

export function settle(image, stage) {
  const there = () => {
    image.classList.add("is-there");
    stage.classList.add("is-there");
  };
  if (image.complete && image.naturalWidth) {
    image.classList.add("was-there");
    there();
  } else {
    image.addEventListener("load", there, { once: true });
  }
}

/** Loads the original behind the preview when `detail.scale` of a "change" shows more pixels than the
    preview has; unless `always`, only once one zooms in. */
export function sharpen(image, { full, w, h }, zoom, always = false) {
  if (!full || Math.max(w, h) <= PREVIEW) return;
  let asked = false;
  const look = async ({ scale }) => {
    const wanted = Math.max(w, h) * scale * devicePixelRatio;
    if (asked || wanted <= PREVIEW || (zoom.fitted && !always)) return;
    asked = true;
    const whole = new Image();
    whole.src = full;
    await whole.decode().then(() => (image.src = full), () => (asked = false));
  };
  zoom.addEventListener("change", ({ detail }) => look(detail));
  look(zoom.view);
}

/** The neighbours' previews are fetched when this one stands, so that the next key press finds them. */
function fetchNeighbours() {
  for (const link of document.querySelectorAll("[data-newer], [data-older]")) {
    new Image().src = `${link.pathname}/preview`;
  }
}

export function showPrint(stage, zoom) {
  const image = stage.querySelector("[data-print]");
  settle(image, stage);
  sharpen(image, stage.dataset, zoom);
  if (image.complete) fetchNeighbours();
  else image.addEventListener("load", fetchNeighbours, { once: true });
}
