// Single letters as shortcuts: they must not act while somebody types.
// All shortcuts themselves are shared/shortcuts.ts.
import type { Shortcuts } from '@/shared/shortcuts'

/** Whether keys now go into a field, or belong to a dialog or an open list. */
export function isTyping(): boolean {
  const at = document.activeElement
  if (!(at instanceof HTMLElement)) return false
  return at.isContentEditable || at.closest('input, textarea, select, [role="dialog"], [role="listbox"]') !== null
}

/** The same shortcuts, known only while nobody types. */
export function whenNotTyping(layer: Shortcuts): Shortcuts {
  const guarded: Shortcuts = {}
  for (const [chord, act] of Object.entries(layer)) {
    Object.defineProperty(guarded, chord, {
      enumerable: true,
      get: () => (isTyping() ? undefined : act),
    })
  }
  return guarded
}
