// Files from a drop, folders included. What the system leaves in folders by itself is passed over.

const LITTER = /^(\.|thumbs\.db$|desktop\.ini$)/i;

const isLitter = (file) => LITTER.test(file.name);

const readEntries = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** All entries of a folder: readEntries gives them by the hundred until none are left. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const found = [];
  for (let some = await readEntries(reader); some.length; some = await readEntries(reader)) found.push(...some);
  return found;
}

async function* walk(entry) {
  if (entry.isFile) yield await fileOf(entry);
  else for (const inner of await entriesOf(entry)) yield* walk(inner);
}

/** The files of a drop, in order of their names within each folder. */
export async function filesOfDrop(transfer) {
  // Entries must be taken at once: the list is empty after the first await.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].filter((file) => !isLitter(file));
  const files = [];
  for (const entry of entries) for await (const file of walk(entry)) files.push(file);
  return files.filter((file) => !isLitter(file));
}

export const filesOfField = (input) => [...input.files].filter((file) => !isLitter(file));

/** The whole window takes a drop; `veil` says so while something hovers. */
export function takeDrops(veil, onFiles) {
  let depth = 0;
  // A picture of the page that is dragged about carries a file, too, but it is here already.
  let own = false;
  addEventListener("dragstart", () => (own = true));
  addEventListener("dragend", () => (own = false));
  const carriesFiles = (event) => !own && [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (by) => {
    depth = Math.max(0, depth + by);
    veil.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => carriesFiles(event) && (event.preventDefault(), show(1)));
  addEventListener("dragleave", (event) => carriesFiles(event) && show(-1));
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(-depth);
    onFiles(await filesOfDrop(event.dataTransfer));
  });
}
