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

const supabase = window.supabase.createClient(api, anonKey, { auth: { persistSession: false } });
const signIn = document.querySelector("#sign-in");
const form = document.querySelector("#property");
const search = document.querySelector("#search");
const note = document.querySelector("#search-note");
const outcome = document.querySelector("#outcome");

let places = null;
let workspaceId = null;
let chosen = null; // the details of the choice, until somebody edits them
let timer = 0;
let asking = new AbortController();

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
  if (error) return say(error.message);
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
  clearTimeout(timer);
  asking.abort();
  if (search.value.trim().length < SHORTEST) {
    note.textContent = "";
    return combobox.close();
  }
  timer = setTimeout(suggest, DEBOUNCE);
});

async function suggest() {
  asking = new AbortController();
  try {
    const found = await places.suggest(search.value, asking.signal);
    document.querySelector("#attribution").textContent = found.attribution;
    combobox.show(found.suggestions);
    note.textContent = found.suggestions.length ? "" : "Nothing found: type the address below.";
  } catch (error) {
    fallBack(error);
  }
}

async function fillIn(suggestion) {
  clearTimeout(timer);
  asking.abort();
  note.textContent = "";
  try {
    const place = await places.choose(suggestion.place_id);
    for (const name of FIELDS) form.elements[name].value = place.address[name] ?? "";
    chosen = place;
    form.elements.address_line2.focus();
  } catch (error) {
    fallBack(error);
  }
}

// Each refusal says what to do; for a person it comes down to typing.
function fallBack(error) {
  if (error.name === "AbortError" || error.code === "places_superseded") return;
  combobox.close();
  note.textContent = error.code === "permission_denied" ? error.message : BY_HAND;
  form.elements.address_line1.focus();
}

// What somebody edits is theirs: it is checked later. A unit within the building changes no building.
form.querySelector("fieldset").addEventListener("input", (event) => {
  if (event.target.name !== "address_line2") chosen = null;
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
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
  chosen = null;
});

// Enter in the search chooses a suggestion, or nothing: it never saves half a form.
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});

function say(text) {
  outcome.textContent = text;
}
