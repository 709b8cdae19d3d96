// The status line's figures, asked again whenever the store says they changed.
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import type { StatusView } from '@/shared/types'
import { latestWins } from '@/shared/latest'
import { tellPresent } from '@/shared/time'
import { host, onChanged } from './host'

/** Also without a change the link and the clock may have turned. */
const ASK_EVERY_MS = 15_000

export interface DeskStatus {
  status: Ref<StatusView | null>
  /** Nothing could be asked: the figures shown are old. */
  failed: Ref<boolean>
}

export function useDeskStatus(): DeskStatus {
  const status = ref<StatusView | null>(null)
  const failed = ref(false)
  const asking = latestWins<void>(
    async () => {
      status.value = await host.status()
      tellPresent(status.value.clock.now)
      failed.value = false
    },
    () => {
      failed.value = true
    },
  )
  let stop: (() => void) | undefined
  let gone = false
  let timer: ReturnType<typeof setInterval> | undefined
  onMounted(async () => {
    asking.push()
    timer = setInterval(() => asking.push(), ASK_EVERY_MS)
    const listening = await onChanged((what) => {
      if (what === 'status' || what === 'cases') asking.push()
    })
    if (gone) listening()
    else stop = listening
  })
  onBeforeUnmount(() => {
    gone = true
    stop?.()
    clearInterval(timer)
  })
  return { status, failed }
}
