// The edge service's address search, as a form uses it: one session for one choice.

export class PlacesError extends Error {
  constructor(status, { code, message, hint }) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export class Places {
  // The promise of one, so that calls that begin together don't open two.
  #session = null;

  // `token` answers the user's access token; it may have been refreshed since the last call.
  constructor({ url, anonKey, workspaceId, token }) {
    Object.assign(this, { url, anonKey, workspaceId, token });
  }

  suggest(input, signal) {
    return this.#inSession("autocomplete", { input }, signal);
  }

  // Ends the session: what is searched next, be it before the answer, opens another.
  choose(placeId, signal) {
    return this.#inSession("details", { place_id: placeId }, signal);
  }

  // A session that is over (a pause, a choice in another tab) is replaced once.
  async #inSession(call, body, signal) {
    for (const again of [true, false]) {
      const session = (this.#session ??= this.#open());
      if (call === "details") this.#forget(session);
      try {
        return await this.#post(call, { session_token: await session, ...body }, signal);
      } catch (error) {
        if (error.code !== "places_invalid_session" || !again) throw error;
        this.#forget(session);
      }
    }
  }

  #open() {
    const session = this.#post("sessions", { workspace_id: this.workspaceId }).then((answer) => answer.session_token);
    session.catch(() => this.#forget(session));
    return session;
  }

  #forget(session) {
    if (this.#session === session) this.#session = null;
  }

  async #post(call, body, signal) {
    const answer = await fetch(`${this.url}/places/${call}`, {
      method: "POST",
      headers: {
        apikey: this.anonKey,
        authorization: `Bearer ${await this.token()}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
      signal,
    });
    const document = await answer.json().catch(() => ({ code: "unreadable", message: "No JSON came back" }));
    if (!answer.ok) throw new PlacesError(answer.status, document);
    return document;
  }
}
