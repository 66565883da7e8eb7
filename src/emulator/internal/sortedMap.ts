/**
 * A map that iterates in the order of its keys from any key, even from a key that was deleted.
 *
 * @internal
 */
export class SortedMap<K extends string | number, A> {
  private readonly entries = new Map<K, A>()
  /** The keys in order. Deleted keys stay until they are more than half. */
  private keys: Array<K> = []

  get size(): number {
    return this.entries.size
  }

  get(key: K): A | undefined {
    return this.entries.get(key)
  }

  set(key: K, value: A): void {
    this.entries.set(key, value)
    const position = this.position(key)
    if (position === this.keys.length) this.keys.push(key)
    else if (this.keys[position] !== key) this.keys.splice(position, 0, key)
  }

  delete(key: K): void {
    this.entries.delete(key)
    if (this.keys.length > 2 * this.size) this.keys = this.keys.filter((key) => this.entries.has(key))
  }

  /** Iterates over the values in the order of insertion. */
  values(): IterableIterator<A> {
    return this.entries.values()
  }

  /** Iterates over the entries after a key, or over all. */
  *after(key: K | undefined): Generator<readonly [K, A]> {
    const { keys } = this
    for (let i = key === undefined ? 0 : this.position(key); i < keys.length; i++) {
      if (keys[i] !== key) yield* this.entry(keys[i])
    }
  }

  /** Iterates over the entries before a key, or over all, in descending order. */
  *before(key: K | undefined): Generator<readonly [K, A]> {
    const { keys } = this
    for (let i = key === undefined ? keys.length : this.position(key); i > 0; i--) yield* this.entry(keys[i - 1])
  }

  private *entry(key: K | undefined): Generator<readonly [K, A]> {
    const value = key === undefined ? undefined : this.entries.get(key)
    if (key !== undefined && value !== undefined) yield [key, value]
  }

  /** Returns the first position whose key is `key` or greater. */
  private position(key: K): number {
    const { keys } = this
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const candidate = keys[middle]
      if (candidate !== undefined && candidate < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
