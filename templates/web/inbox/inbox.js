// Shows mails as they come: asks whether the folder changed, and takes the list from the same page as it is then.
const mails = () => document.getElementById("mails");

async function look() {
  if (document.hidden) return;
  const answer = await fetch("/api/version");
  if (!answer.ok || (await answer.json()) === mails().dataset.version) return;
  const page = await fetch(location.href);
  if (!page.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  const focused = document.activeElement?.closest("#mails a")?.getAttribute("href");
  document.title = fresh.title;
  mails().replaceWith(document.adoptNode(fresh.getElementById("mails")));
  if (focused) document.querySelector(`#mails a[href="${CSS.escape(focused)}"]`)?.focus();
}

setInterval(() => look().catch(() => {}), 1500); // without an answer the mailbox has ended: the list stays as it was
