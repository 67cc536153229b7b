// Two conveniences; every page works without them.

for (const button of document.querySelectorAll("[data-copy]")) {
  const words = button.textContent;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: press Ctrl+C";
    }
    document.getElementById("said").textContent = button.textContent;
    setTimeout(() => (button.textContent = words), 3000);
  });
}

const followed = document.querySelector("[data-follow]");
if (followed) {
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(followed.dataset.follow, { redirect: "manual" }).catch(() => null);
    if (answer?.ok) followed.innerHTML = await answer.text();
    else if (answer?.type === "opaqueredirect") location.reload();
  }, 1500);
}
