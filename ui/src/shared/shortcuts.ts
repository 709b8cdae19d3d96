// Every shortcut of the program goes through here. Nothing acts while a Chinese
// word is being composed, nor twice while a key is held down.
import { onActivated, onBeforeUnmount, onDeactivated, onMounted } from 'vue'

/** A key as written in the tables below: modifiers in this order, then the key. */
export type Chord = string

export type Shortcuts = Record<Chord, (event: KeyboardEvent) => void>

/** `Ctrl+Alt+Shift+` as held, then the key; digits by their place, for keyboards where Alt changes them. */
export function chordOf(event: KeyboardEvent): Chord {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1]
  const key = event.altKey && digit !== undefined ? digit : event.key
  const held = [
    event.ctrlKey || event.metaKey ? 'Ctrl+' : '',
    event.altKey ? 'Alt+' : '',
    event.shiftKey ? 'Shift+' : '',
  ].join('')
  return held + (key.length === 1 ? key.toUpperCase() : key)
}

/** Whether the key belongs to an input method that is composing a word. */
export function isComposing(event: KeyboardEvent): boolean {
  // 229 is what browsers report for keys an input method has taken.
  return event.isComposing || event.keyCode === 229
}

const layers: Shortcuts[] = []
let held = false

/** While the screen is locked no shortcut acts. */
export function holdShortcuts(now: boolean): void {
  held = now
}

/** Finds the topmost layer that knows the chord. Exported for tests. */
export function dispatch(event: KeyboardEvent): void {
  if (held || event.repeat || isComposing(event)) return
  const chord = chordOf(event)
  for (const layer of [...layers].reverse()) {
    const act = layer[chord]
    if (act !== undefined) {
      event.preventDefault()
      act(event)
      return
    }
  }
}

let listening = false

function add(layer: Shortcuts): void {
  if (!listening) {
    window.addEventListener('keydown', dispatch)
    listening = true
  }
  remove(layer)
  layers.push(layer)
}

function remove(layer: Shortcuts): void {
  const at = layers.indexOf(layer)
  if (at >= 0) layers.splice(at, 1)
}

/** Shortcuts that hold while the calling component is on the screen. The one mounted last wins. */
export function useShortcuts(layer: Shortcuts): void {
  onMounted(() => add(layer))
  onActivated(() => add(layer))
  onDeactivated(() => remove(layer))
  onBeforeUnmount(() => remove(layer))
}
