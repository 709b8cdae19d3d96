// A list asked for once and again when something changed: what it holds, and
// the problem when it could not be had.
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { Told } from '@/shared/errors'
import { toldOf } from './problems'

export interface Listing<T> {
  /** Null until the first answer. */
  value: ShallowRef<T | null>
  error: Ref<Told | null>
  load: () => Promise<void>
}

/** Asks at once. */
export function useListing<T>(ask: () => Promise<T>): Listing<T> {
  const value = shallowRef<T | null>(null)
  const error = ref<Told | null>(null)
  async function load(): Promise<void> {
    try {
      value.value = await ask()
      error.value = null
    } catch (thrown) {
      error.value = toldOf(thrown)
    }
  }
  void load()
  return { value, error, load }
}
