// Complaints known by telephone alone, kept up to date while shown.
import { ref, shallowRef } from 'vue'
import type { Told } from '@/shared/errors'
import * as calls from './calls'
import { calmly, onLive } from './live'
import { toldOf } from './problems'
import type { StubView } from './types'

/** `asks` is false for those who take no calls: they are not asked about. */
export function useStubs(asks: () => boolean) {
  const stubs = shallowRef<StubView[]>([])
  const stubsError = ref<Told | null>(null)

  async function loadStubs(): Promise<void> {
    if (!asks()) return
    try {
      stubs.value = await calls.phoneStubs()
      stubsError.value = null
    } catch (thrown) {
      stubsError.value = toldOf(thrown)
    }
  }

  void loadStubs()
  onLive('work_orders', calmly(loadStubs))
  return { stubs, stubsError, loadStubs }
}
