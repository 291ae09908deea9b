// Sign in, find an address, save a property. Whatever becomes of the search, the address can be typed.

import { Combobox } from "./combobox.js";
import { Places } from "./places.js";

const DEBOUNCE = 300; // milliseconds: each call may cost money
const SHORTEST = 3;
const BY_HAND = "Suggestions are not available: type the address below.";
const FIELDS = ["address_line1", "address_line2", "city", "state", "postal_code", "country"];

// ?api=http://127.0.0.1:54321&key=ANON_KEY, and &edge=https://edge.example.com beside a hosted project.
const query = new URLSearchParams(location.search);
const api = query.get("api") ?? "http://127.0.0.1:54321";
const anonKey = query.get("key") ?? "";
const edge = query.get("edge") ?? `${api}/functions/v1`;

const signIn = document.querySelector("#sign-in");
const form = document.querySelector("#property");
const search = document.querySelector("#search");
const note = document.querySelector("#search-note");
const outcome = document.querySelector("#outcome");

const missing =
  (!window.supabase && "supabase-js is missing: `make example` serves it along with this page.") ||
  (!anonKey && "This page's address lacks ?key=: open the one that `make example` prints.");
if (missing) {
  signIn.hidden = true;
  say(missing);
  throw new Error(missing);
}
const supabase = window.supabase.createClient(api, anonKey, { auth: { persistSession: false } });

let places = null;
let workspaceId = null;
let chosen = null; // the details of the choice, until somebody edits them
let saving = false;
let timer = 0;
let asking = new AbortController(); // for suggestions
let choosing = new AbortController(); // for the details of a choice

const combobox = new Combobox({
  input: search,
  list: document.querySelector("#list"),
  options: document.querySelector("#suggestions"),
  onChoose: fillIn,
});

signIn.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(signIn));
  const { error } = await supabase.auth.signInWithPassword({ email, password });
  if (error) return say(error.status ? error.message : `${api} doesn't answer. Is it up?`);
  const { data, error: refused } = await supabase.from("workspaces").select("id").order("name").limit(1);
  if (refused || !data.length) return say(refused?.message ?? "You belong to no workspace yet.");
  workspaceId = data[0].id;
  const token = async () => (await supabase.auth.getSession()).data.session?.access_token;
  places = new Places({ url: edge, anonKey, workspaceId, token });
  say("");
  signIn.hidden = true;
  form.hidden = false;
  form.elements.name.focus();
});

search.addEventListener("input", () => {
  stopAsking();
  choosing.abort();
  if (search.value.trim().length < SHORTEST) {
    note.textContent = "";
    return combobox.show([]);
  }
  timer = setTimeout(suggest, DEBOUNCE);
});

function stopAsking() {
  clearTimeout(timer);
  asking.abort();
}

async function suggest() {
  asking = new AbortController();
  try {
    const found = await places.suggest(search.value, asking.signal);
    document.querySelector("#attribution").textContent = found.attribution;
    combobox.show(found.suggestions);
    note.textContent = told(found.suggestions.length);
  } catch (error) {
    fallBack(error);
  }
}

function told(count) {
  if (count === 0) return "Nothing found: type the address below.";
  return count === 1 ? "1 suggestion." : `${count} suggestions.`;
}

// An answer that comes after the person went on, be it to another choice or by hand, is left out.
async function fillIn(suggestion) {
  stopAsking();
  choosing.abort();
  choosing = new AbortController();
  note.textContent = "";
  try {
    const place = await places.choose(suggestion.place_id, choosing.signal);
    for (const name of FIELDS) form.elements[name].value = place.address[name] ?? "";
    chosen = place;
    form.elements.address_line2.focus();
  } catch (error) {
    fallBack(error);
    if (!isOver(error)) form.elements.address_line1.focus();
  }
}

// Each refusal says what to do; for a person it comes down to typing.
function fallBack(error) {
  if (isOver(error)) return;
  combobox.show([]);
  note.textContent = error.code === "permission_denied" ? error.message : BY_HAND;
}

function isOver(error) {
  return error.name === "AbortError" || error.code === "places_superseded";
}

// What somebody edits is theirs: it is checked later. A unit within the building changes no building.
form.querySelector("fieldset").addEventListener("input", (event) => {
  choosing.abort();
  if (event.target.name !== "address_line2") chosen = null;
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (saving) return; // a second click would save a second property
  saving = true;
  stopAsking();
  choosing.abort();
  try {
    await save();
  } finally {
    saving = false;
  }
});

async function save() {
  say("Saving …");
  const typed = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim() || null]));
  const place = chosen && {
    place_id: chosen.place_id,
    address_status: chosen.address_status,
    ...(chosen.timezone && { timezone: chosen.timezone }),
  };
  const { data, error } = await supabase
    .from("properties")
    .insert({ ...typed, ...place, workspace_id: workspaceId })
    .select("id, address_status, coordinates")
    .single();
  if (error) return say(error.hint ? `${error.message} ${error.hint}` : error.message);
  const where = data.coordinates;
  say(`Saved as ${data.address_status}` + (where ? ` at ${where.latitude}, ${where.longitude}.` : "."));
  form.reset();
  combobox.show([]);
  note.textContent = "";
  chosen = null;
}

// Enter in the search chooses a suggestion, or nothing: it never saves half a form.
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});

function say(text) {
  outcome.textContent = text;
}
