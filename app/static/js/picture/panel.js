// The panel at the side and the chrome that fades: what one chose stays for the next picture.

const NARROW = matchMedia("(max-width: 900px)");
const IDLE = 2600;
const KEY = "panel";

const remembered = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

function remember(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // A browser that keeps nothing just starts with the panel open.
  }
}

export class Panel {
  constructor(main) {
    this.main = main;
    this.button = main.querySelector("[data-info]");
    this.button.addEventListener("click", () => this.toggle());
    main.querySelector("[data-sheet]").addEventListener("click", () => this.toggle());
    this.#set(!NARROW.matches && remembered() !== "shut");
    this.#swipe(main.querySelector("[data-sheet]"));
  }

  get isOpen() {
    return !this.main.hasAttribute("data-panel-shut");
  }

  #set(open) {
    this.main.toggleAttribute("data-panel-shut", !open);
    this.button.setAttribute("aria-pressed", String(open));
  }

  toggle() {
    this.#set(!this.isOpen);
    if (!NARROW.matches) remember(this.isOpen ? "open" : "shut");
    if (!this.isOpen) this.button.focus({ preventScroll: true });
  }

  #swipe(grip) {
    let start = null;
    grip.addEventListener("pointerdown", (event) => (start = event.clientY));
    grip.addEventListener("pointermove", (event) => {
      if (start !== null && event.clientY - start > 40) {
        start = null;
        this.toggle();
      }
    });
  }
}

/** Nothing moved for a while: only the picture stays. Not while the focus is on a control. */
export function fadeWhenIdle(main) {
  let timer = 0;
  const rest = () => {
    const busy = main.querySelector(".chrome :focus-visible, .beside:focus-visible, .chrome:hover") || document.querySelector("dialog[open]");
    main.classList.toggle("is-idle", !busy);
  };
  const wake = () => {
    main.classList.remove("is-idle");
    clearTimeout(timer);
    timer = setTimeout(rest, IDLE);
  };
  for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) addEventListener(name, wake, { passive: true });
  wake();
}
