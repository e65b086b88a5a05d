/* Speed and comfort only: every page works without this file. */
(() => {
  "use strict";

  const isTyping = (target) =>
    target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);

  // "/" puts the cursor into the search box; Esc closes an open menu and gives the focus back.
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !isTyping(event.target)) {
      const box = document.querySelector("[data-search-box]");
      if (box) {
        event.preventDefault();
        box.focus();
        box.select();
      }
    }
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach((menu) => {
        menu.removeAttribute("open");
        menu.querySelector("summary").focus();
      });
    }
  });

  // A click elsewhere closes a menu.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });

  // A form is sent once. The server is safe against repeats; this spares people the wait.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });

  // Coming back with the browser's back button, forms can be sent again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
    });
  });

  // A button that is off stays reachable, so that its reason can be read, and does nothing.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[aria-disabled=true]");
    if (button) event.preventDefault();
  });

  // A table that is wider than the page can be scrolled with the keys too.
  const reachWideTables = () => {
    document.querySelectorAll(".table-wrap").forEach((wrap) => {
      const caption = wrap.querySelector("caption");
      if (wrap.scrollWidth > wrap.clientWidth) {
        wrap.tabIndex = 0;
        wrap.setAttribute("role", "region");
        wrap.setAttribute("aria-label", caption ? caption.textContent.trim() : document.title);
      } else {
        ["tabindex", "role", "aria-label"].forEach((name) => wrap.removeAttribute(name));
      }
    });
  };
  reachWideTables();
  window.addEventListener("resize", reachWideTables);
  document.addEventListener("htmx:after:swap", reachWideTables);
  document.addEventListener("toggle", reachWideTables, true);

  // Forms that would fill the whole screen of a phone are folded there, and open where there is room.
  const narrow = window.matchMedia("(max-width: 35.99rem)");
  const fold = () => {
    document.querySelectorAll(".narrow-fold").forEach((part) => {
      part.open = !narrow.matches || part.querySelector(".has-error") !== null;
    });
  };
  fold();
  narrow.addEventListener("change", fold);

  const summary = document.querySelector(".error-summary");
  if (summary) summary.focus();
})();
