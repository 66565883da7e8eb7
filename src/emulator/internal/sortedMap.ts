/**
 * A map whose entries can be walked in the order of their keys from any key on, also from one that has vanished.
 *
 * @internal
 */
export class SortedMap<K extends string | number, A> {
  private readonly entries = new Map<K, A>()
  /** The keys in order, among them some that were deleted: they are swept up when they are the most. */
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

  /** The values, in the order in which their keys came. */
  values(): IterableIterator<A> {
    return this.entries.values()
  }

  /** The entries behind a key, or all. */
  *after(key: K | undefined): Generator<readonly [K, A]> {
    const { keys } = this
    for (let i = key === undefined ? 0 : this.position(key); i < keys.length; i++) {
      if (keys[i] !== key) yield* this.entry(keys[i])
    }
  }

  /** The entries before a key, or all, the last first. */
  *before(key: K | undefined): Generator<readonly [K, A]> {
    const { keys } = this
    for (let i = key === undefined ? keys.length : this.position(key); i > 0; i--) yield* this.entry(keys[i - 1])
  }

  private *entry(key: K | undefined): Generator<readonly [K, A]> {
    const value = key === undefined ? undefined : this.entries.get(key)
    if (key !== undefined && value !== undefined) yield [key, value]
  }

  /** The first position whose key is `key` or comes after it. */
  private position(key: K): number {
    const { keys } = this
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const there = keys[middle]
      if (there !== undefined && there < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
