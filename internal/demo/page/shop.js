"use strict";
const el = (id) => document.getElementById(id);
const words = {
  ok: "open",
  slow: "open, but slow",
  wedged: "closed: the workers do not answer",
  cache_full: "closed: no space for receipts",
};

async function look() {
  let state = "broken", text = "closed: nobody answers the door";
  try {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    const health = await answer.json();
    state = { ok: "ok", slow: "slow" }[health.status] || "broken";
    text = words[health.status] || health.status;
  } catch { /* the text above says it */ }
  el("door").dataset.state = state;
  el("door-text").textContent = text;
  setTimeout(look, 1000);
}

function say(state, text) {
  el("till").dataset.state = state;
  el("till").textContent = text;
  el("till").scrollIntoView({ block: "nearest" }); // on a phone it may be far below
}

async function post(path, fields) {
  const answer = await fetch(path, { method: "POST", body: new URLSearchParams(fields) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || `status ${answer.status}`);
  return body;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { product, break: how } = button.dataset;
  button.disabled = true;
  const began = performance.now();
  try {
    if (product) {
      const receipt = await post("/checkout", { product });
      say("sold", `Thank you. Order ${receipt.order}, ¥${receipt.yen.toLocaleString("en")}, in ${Math.round(performance.now() - began)} ms.`);
    } else {
      await post("/break", { how });
      say("failed", "You broke it. Watch what the fire brigade does.");
    }
  } catch (error) {
    say("failed", `Sorry: ${error.message}.`);
  }
  button.disabled = false;
});

look();
