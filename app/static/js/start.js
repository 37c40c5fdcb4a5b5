// Runs before the first paint: tells the style sheets that modules will run.
document.documentElement.classList.add("js");
