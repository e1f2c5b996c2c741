// What the scripts say, in the language of the page: English as it stands in them, else out of the table that the page carries.
"use strict";

window.telltale = (() => {
  const page = document.documentElement;
  const table = JSON.parse(page.dataset.words || "{}");
  return {
    locale: { en: "en-GB", ar: "ar-u-nu-latn" }[page.lang] || page.lang,
    say: (message, values = {}) => (table[message] || message).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? ""),
    known: (message) => page.lang === "en" || message in table,
  };
})();
