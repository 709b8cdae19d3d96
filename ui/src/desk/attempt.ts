// One attempt at something that can be refused: whether it runs, and what went
// wrong last.
import { ref, type Ref } from 'vue'
import type { Told } from '@/shared/errors'
import { toldOf } from './host'

export interface Attempt {
  busy: Ref<boolean>
  error: Ref<Told | null>
  /** Runs it unless one runs already; true when it succeeded. */
  run(what: () => Promise<void>): Promise<boolean>
}

export function useAttempt(): Attempt {
  const busy = ref(false)
  const error = ref<Told | null>(null)
  return {
    busy,
    error,
    async run(what) {
      if (busy.value) return false
      busy.value = true
      error.value = null
      try {
        await what()
        return true
      } catch (thrown) {
        error.value = toldOf(thrown)
        return false
      } finally {
        busy.value = false
      }
    },
  }
}
