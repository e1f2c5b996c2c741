// Passkeys: asks the desk for a challenge, the browser for the answer, and brings it back. Without a script a code does the same work.
"use strict";

(() => {
  const { say } = window.telltale;
  const able = Boolean(window.PublicKeyCredential && navigator.credentials);
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function post(path, body) {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.problem || say("It did not work. Try again."));
    return said;
  }

  async function make(options) {
    const made = await navigator.credentials.create({
      publicKey: { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: named(options.excludeCredentials) },
    });
    const { response } = made;
    return {
      id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {},
      response: { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject), transports: response.getTransports ? response.getTransports() : [] },
    };
  }

  async function use(options) {
    const found = await navigator.credentials.get({
      publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) },
    });
    const { response } = found;
    return {
      id: found.id, rawId: text(found.rawId), type: found.type, clientExtensionResults: {},
      response: {
        clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData), signature: text(response.signature),
        userHandle: response.userHandle ? text(response.userHandle) : null,
      },
    };
  }

  // What the browser itself says when somebody turns away, in our words.
  const words = (error) => (["NotAllowedError", "AbortError"].includes(error.name) ? say("Nothing was confirmed. Try again when you are ready.")
    : error.name === "InvalidStateError" ? say("This device has a passkey for you already.") : error.message);

  function begin(box, work) {
    const button = box.querySelector("button");
    const problem = box.querySelector(".problem");
    return async (event) => {
      event.preventDefault();
      problem.textContent = "";
      button.disabled = true;
      try {
        await work();
      } catch (error) {
        problem.textContent = words(error);
      }
      button.disabled = false;
    };
  }

  document.querySelectorAll("[data-passkey]").forEach((box) => {
    const { passkey, next } = box.dataset;
    if (passkey === "none") { box.hidden = able; box.textContent = box.dataset.unable; return; }
    if (!able) return;
    box.hidden = false;
    if (passkey === "add") {
      const form = box.querySelector("form");
      form.addEventListener("submit", begin(form, async () => {
        const { options, seal } = await post("/security/passkeys/ask", { password: form.elements.current_password.value });
        const { codes } = await post("/security/passkeys", { seal, credential: await make(options), label: form.elements.label.value });
        if (!codes.length) { window.location.assign("/security"); return; }
        const shown = box.querySelector(".new-codes");
        shown.querySelector("ol").replaceChildren(...codes.map((code) => Object.assign(document.createElement("li"), { className: "mono", textContent: code })));
        form.hidden = true;
        shown.hidden = false;
      }));
      return;
    }
    const path = passkey === "second" ? "/sign-in/second/passkey" : "/sign-in/passkey";
    box.querySelector("button").addEventListener("click", begin(box, async () => {
      const { options, seal } = await post(`${path}/ask`, {});
      const said = await post(path, { seal, credential: await use(options), next: next || "/" });
      window.location.assign(said.next);
    }));
  });
})();
