/** Keeps the last few of what was made, so that memory stays bounded. */
export class Recent<T> {
  readonly #kept = new Map<string, T>();

  constructor(readonly capacity: number, readonly forget: (value: T) => void = () => {}) {}

  get(key: string, make: () => T): T {
    const value = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, value);
    if (this.#kept.size > this.capacity) {
      const [oldest, forgotten] = this.#kept.entries().next().value!;
      this.#kept.delete(oldest);
      this.forget(forgotten);
    }
    return value;
  }

  delete(key: string): void {
    this.#kept.delete(key);
  }
}
