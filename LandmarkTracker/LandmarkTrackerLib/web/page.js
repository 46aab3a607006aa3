// The keys of the page and its uploads. style.py puts in which keys there are.
// trame runs this again whenever the page is drawn anew.
if (!window.landmarkTrackerUpload) {
  const keys = KEYS_OF_THE_PAGE;
  window.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.('input[type="text"], input:not([type]), input[type="number"], textarea');
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (typing || event.altKey || event.metaKey || (event.ctrlKey && key !== "Z") || !keys.includes(key)) return;
    if (event.repeat && !key.startsWith("Arrow")) return;
    event.preventDefault();
    event.stopPropagation();
    window.trame.trigger("key", [key]);
  }, true);
  window.landmarkTrackerUpload = async (input) => {
    const form = new FormData();
    for (const file of input.files) form.append("files", file, file.name);
    input.value = "";
    try {
      const answer = await fetch("upload", { method: "POST", body: form });
      return answer.ok ? (await answer.json()).problem : "The upload was refused (" + answer.status + ").";
    } catch (error) {
      return "The upload did not reach the server; try again.";
    }
  };
}
