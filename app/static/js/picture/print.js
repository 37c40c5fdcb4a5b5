// Which file stands in the frame: the preview first, the original once one looks closer than it can show.

const PREVIEW = 1600;

function settle(image, stage) {
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

/** Loads the original behind the preview when `view.scale` shows more pixels than the preview has. */
function sharpen(image, stage, zoom) {
  const { full, w, h } = stage.dataset;
  if (!full || Math.max(w, h) <= PREVIEW) return;
  let asked = false;
  zoom.addEventListener("change", async ({ detail }) => {
    const wanted = Math.max(w, h) * detail.scale * devicePixelRatio;
    if (asked || zoom.fitted || wanted <= PREVIEW) return;
    asked = true;
    const whole = new Image();
    whole.src = full;
    await whole.decode().then(() => (image.src = full), () => (asked = false));
  });
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
  sharpen(image, stage, zoom);
  if (image.complete) fetchNeighbours();
  else image.addEventListener("load", fetchNeighbours, { once: true });
}
