import { mount } from '@vue/test-utils'
import { defineComponent, h, KeepAlive, nextTick, ref } from 'vue'
import { afterEach, expect, test } from 'vitest'
import { chordOf, useShortcuts, type Shortcuts, holdShortcuts } from './shortcuts'

const mounted: { unmount: () => void }[] = []
afterEach(() => {
  for (const one of mounted.splice(0)) one.unmount()
})

function withShortcuts(layer: Shortcuts): void {
  mounted.push(
    mount(
      defineComponent({
        setup() {
          useShortcuts(layer)
          return () => h('div')
        },
      }),
    ),
  )
}

function press(init: KeyboardEventInit): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { cancelable: true, bubbles: true, ...init })
  window.dispatchEvent(event)
  return event
}

test('a chord names its modifiers and, with Alt, the digit by its place', () => {
  const chord = (init: KeyboardEventInit): string => chordOf(new KeyboardEvent('keydown', init))
  expect(chord({ key: 'k', ctrlKey: true })).toBe('Ctrl+K')
  expect(chord({ key: 'Enter', ctrlKey: true })).toBe('Ctrl+Enter')
  expect(chord({ key: '¡', code: 'Digit1', altKey: true })).toBe('Alt+1')
  expect(chord({ key: '2', code: 'Numpad2', altKey: true })).toBe('Alt+2')
  expect(chord({ key: 'F2' })).toBe('F2')
})

test('nothing acts while a Chinese word is being composed or a key is held', () => {
  let acted = 0
  withShortcuts({ 'Ctrl+Enter': () => (acted += 1) })
  press({ key: 'Enter', ctrlKey: true, isComposing: true })
  press({ key: 'Enter', ctrlKey: true, keyCode: 229 })
  press({ key: 'Enter', ctrlKey: true, repeat: true })
  expect(acted).toBe(0)
  expect(press({ key: 'Enter', ctrlKey: true }).defaultPrevented).toBe(true)
  expect(acted).toBe(1)
})

test('the one on top answers, what it does not know goes to the one below', () => {
  const seen: string[] = []
  withShortcuts({ Escape: () => seen.push('screen'), F2: () => seen.push('new') })
  withShortcuts({ Escape: () => seen.push('dialog') })
  press({ key: 'Escape' })
  press({ key: 'F2' })
  mounted.pop()?.unmount()
  press({ key: 'Escape' })
  expect(seen).toEqual(['dialog', 'new', 'screen'])
})

test('a screen kept alive but not shown hears nothing', async () => {
  let acted = 0
  const Screen = defineComponent({
    setup() {
      useShortcuts({ F8: () => (acted += 1) })
      return () => h('div')
    },
  })
  const shown = ref(true)
  mounted.push(mount(() => h(KeepAlive, null, () => (shown.value ? h(Screen) : h('p')))))
  press({ key: 'F8' })
  shown.value = false
  await nextTick()
  press({ key: 'F8' })
  expect(acted).toBe(1)
  shown.value = true
  await nextTick()
  press({ key: 'F8' })
  expect(acted).toBe(2)
})

test('nothing acts while the screen is locked', () => {
  let acted = 0
  withShortcuts({ F2: () => (acted += 1) })
  holdShortcuts(true)
  press({ key: 'F2' })
  expect(acted).toBe(0)
  holdShortcuts(false)
  press({ key: 'F2' })
  expect(acted).toBe(1)
})
