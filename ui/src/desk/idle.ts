// Locks the desk when nobody has touched it for the time the policy sets.
import { onBeforeUnmount, onMounted } from 'vue'
import { desk, lock } from './session'

const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'] as const
const LOOK_EVERY_MS = 5_000
const MINUTE_MS = 60_000

/** Whether the lock is due. Zero minutes means the policy wants none. */
export function isIdle(lastSign: number, now: number, minutes: number): boolean {
  return minutes > 0 && now - lastSign >= minutes * MINUTE_MS
}

export function lockWhenIdle(): void {
  let lastSign = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  const sign = (): void => {
    lastSign = Date.now()
  }
  onMounted(() => {
    for (const name of SIGNS) window.addEventListener(name, sign, { capture: true, passive: true })
    timer = setInterval(() => {
      const minutes = desk.session?.idle_lock ?? 0
      if (!desk.locked && isIdle(lastSign, Date.now(), minutes)) void lock()
    }, LOOK_EVERY_MS)
  })
  onBeforeUnmount(() => {
    for (const name of SIGNS) window.removeEventListener(name, sign, { capture: true })
    clearInterval(timer)
  })
}
