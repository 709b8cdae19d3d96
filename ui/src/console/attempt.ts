// One thing a person asked for: busy while it runs, the problem if it failed,
// never twice at once.
import { ref, type Ref } from 'vue'
import type { Told } from '@/shared/errors'
import { HubError } from './api'
import { toldOf } from './problems'

export interface Attempt {
  busy: Ref<boolean>
  error: Ref<Told | null>
  /** True when it was done; false when it failed or something is under way. */
  run: (task: () => Promise<void>) => Promise<boolean>
}

export function useAttempt(): Attempt {
  const busy = ref(false)
  const error = ref<Told | null>(null)
  return {
    busy,
    error,
    async run(task) {
      if (busy.value) return false
      busy.value = true
      error.value = null
      try {
        await task()
        return true
      } catch (thrown) {
        // A sign-in that ran out is told once, by the form that asks for it.
        if (!(thrown instanceof HubError && thrown.code === 'not_signed_in')) error.value = toldOf(thrown)
        return false
      } finally {
        busy.value = false
      }
    },
  }
}
