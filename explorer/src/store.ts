/** Values that parts of the page watch. Those that change together are told of together. */
export class Store<State extends object> {
  #state: State;
  readonly #watchers: { keys: readonly (keyof State)[]; tell: (state: State) => void }[] = [];
  #changed = new Set<keyof State>();

  constructor(state: State) {
    this.#state = state;
  }

  get now(): Readonly<State> {
    return this.#state;
  }

  set(change: Partial<State>): void {
    const keys = (Object.keys(change) as (keyof State)[])
      .filter((key) => !Object.is(change[key], this.#state[key]));
    if (keys.length === 0) return;
    this.#state = { ...this.#state, ...change };
    if (this.#changed.size === 0) queueMicrotask(() => this.#tell());
    for (const key of keys) this.#changed.add(key);
  }

  /** Call back after any of these has changed, and once at the start. */
  watch(keys: readonly (keyof State)[], tell: (state: State) => void): void {
    this.#watchers.push({ keys, tell });
    tell(this.#state);
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { keys, tell } of this.#watchers) {
      if (keys.some((key) => changed.has(key))) tell(this.#state);
    }
  }
}
