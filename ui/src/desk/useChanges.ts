// Asks again when the store says something changed, while the calling
// component is on the screen; once more when it comes back to it.
import { onActivated, onBeforeUnmount, onDeactivated, onMounted } from 'vue'
import { onChanged, type What } from './host'

export function useChanges(kinds: readonly What[], ask: () => void): void {
  let stop: (() => void) | undefined
  let gone = false
  let shown = true
  let missed = false
  onMounted(async () => {
    const listening = await onChanged((what) => {
      if (!kinds.includes(what)) return
      if (shown) ask()
      else missed = true
    })
    if (gone) listening()
    else stop = listening
  })
  onActivated(() => {
    shown = true
    if (missed) ask()
    missed = false
  })
  onDeactivated(() => {
    shown = false
  })
  onBeforeUnmount(() => {
    gone = true
    stop?.()
  })
}
