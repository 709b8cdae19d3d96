// An expert's hold on a work order: how long it lasts, and lengthening it for
// as long as the page is open and in use.
import { computed, onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue'
import { useNow } from '@/shared/time'

const MINUTE = 60_000
/** In use means touched within this time. */
const IN_USE_MS = 5 * MINUTE
/** Asked for again no sooner than this, unless it is about to end. */
const RENEW_EVERY_MS = 2 * MINUTE
const ABOUT_TO_END_MS = 3 * MINUTE

const SIGNS_OF_LIFE = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const

/** `until` is null while there is nothing to renew. */
export function useLease(until: Ref<string | null>, renew: () => Promise<void>) {
  const now = useNow()
  let lastUsed = Date.now()
  let lastAsked = Date.now()
  const failing = ref(false)

  const left = computed(() => (until.value === null ? null : Date.parse(until.value) - now.value))
  const ending = computed(() => left.value !== null && left.value < ABOUT_TO_END_MS)

  const used = (): void => {
    lastUsed = Date.now()
  }

  async function ask(): Promise<void> {
    lastAsked = Date.now()
    try {
      await renew()
      failing.value = false
    } catch {
      // The countdown goes on and says so; the next minute asks again.
      failing.value = true
    }
  }

  watch(now, (at) => {
    if (left.value === null || left.value <= 0 || document.hidden) return
    const since = at - lastAsked
    const usedSince = lastUsed > lastAsked && at - lastUsed < IN_USE_MS
    if (usedSince && (since >= RENEW_EVERY_MS || (ending.value && since >= MINUTE / 3))) void ask()
  })

  onMounted(() => {
    for (const sign of SIGNS_OF_LIFE) window.addEventListener(sign, used, { passive: true })
  })
  onBeforeUnmount(() => {
    for (const sign of SIGNS_OF_LIFE) window.removeEventListener(sign, used)
  })

  return { left, ending, failing, ask }
}
