// Signing out asks first where changes wait in this browser: with the session their key goes, and then they.

const DATABASE = "darkroom";

async function mayWait() {
  if (!globalThis.indexedDB?.databases) return false;
  return (await indexedDB.databases()).some(({ name }) => name === DATABASE);
}

/** Whether to go on; whatever goes wrong with what is kept here, signing out stays possible. */
async function isSettled() {
  try {
    if (!(await mayWait())) return true;
    const { settleDrafts } = await import("../editor/queue_sign_out.js");
    return await settleDrafts();
  } catch {
    return true;
  }
}

export function guardSignOut() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches('form[action$="/auth/logout"]') || form.dataset.sure) return;
    event.preventDefault();
    if (!(await isSettled())) return;
    form.dataset.sure = "yes";
    form.requestSubmit();
  });
}
