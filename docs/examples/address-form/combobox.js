// A text field with a list of suggestions, after the ARIA pattern: the focus stays in the field.

export class Combobox {
  #options = [];
  #active = -1;

  constructor({ input, list, options, onChoose }) {
    Object.assign(this, { input, list, options, onChoose });
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.close());
    // A press would take the focus away and close the list before the click arrives.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    options.addEventListener("click", (event) => {
      const option = event.target.closest("li");
      if (option) this.#choose([...options.children].indexOf(option));
    });
  }

  // [{text, main_text, secondary_text, …}]: what is chosen is handed to onChoose as it came. Whoever has gone
  // on to another field finds them when they come back and press an arrow.
  show(suggestions) {
    this.#options = suggestions;
    this.options.replaceChildren(
      ...suggestions.map(({ main_text, secondary_text }, number) => {
        const option = Object.assign(document.createElement("li"), { id: `suggestion-${number}` });
        option.setAttribute("role", "option");
        option.append(main_text, Object.assign(document.createElement("small"), { textContent: secondary_text ?? "" }));
        return option;
      }),
    );
    this.#open(suggestions.length > 0 && document.activeElement === this.input);
  }

  close() {
    this.#open(false);
  }

  #open(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.#activate(-1);
  }

  #activate(number) {
    this.#active = number;
    [...this.options.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === number)));
    if (number >= 0) this.input.setAttribute("aria-activedescendant", `suggestion-${number}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  #choose(number) {
    const chosen = this.#options[number];
    this.show([]);
    this.input.value = chosen.text;
    this.onChoose(chosen);
  }

  #key(event) {
    const count = this.#options.length;
    // While letters are being composed, as in Japanese, Enter and arrows are for them.
    if (!count || event.isComposing) return;
    if (this.list.hidden) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      this.#open(true);
    }
    if (event.key === "ArrowDown") this.#activate((this.#active + 1) % count);
    else if (event.key === "ArrowUp") this.#activate(this.#active <= 0 ? count - 1 : this.#active - 1);
    else if (event.key === "Enter" && this.#active >= 0) this.#choose(this.#active);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }
}
