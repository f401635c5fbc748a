// Reloads the page once the server has a newer one, and says so when there is no server any more.
const page = document.documentElement;

setInterval(async () => {
  try {
    const answer = await fetch("version", { cache: "no-store" });
    delete page.dataset.ended;
    if (answer.ok && (await answer.text()) !== page.dataset.version) location.reload();
  } catch {
    page.dataset.ended = "";
  }
}, 700);
