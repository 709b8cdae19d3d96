import { flushPromises, mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as calls from '../../calls'
import { ids } from '../../testids'
import type { QuarantineRow } from '../../types'
import ResolveDialog from './ResolveDialog.vue'

vi.mock('../../calls', () => ({ resolve: vi.fn(() => Promise.resolve()) }))
const resolve = vi.mocked(calls.resolve)

const record = (over: Partial<QuarantineRow>): QuarantineRow =>
  ({
    id: 7,
    complaint: 'c',
    is_known: true,
    waits: false,
    reason: 'hash_mismatch',
    body: JSON.stringify({ fact: { kind: 'noted', text: '已致电' } }),
    ...over,
  }) as QuarantineRow

const i18n = createI18n({ legacy: false, locale: 'x', missingWarn: false, fallbackWarn: false, messages: { x: {} } })
const open: { unmount: () => void }[] = []
let number = 0

/** Each of another record: what was typed of one is kept. */
function dialog(over: Partial<QuarantineRow>, mayNote = true) {
  number += 1
  const made = mount(ResolveDialog, {
    props: { record: record({ id: number, ...over }), reason: 'r', fix: 'f', mayNote },
    global: { plugins: [i18n] },
    attachTo: document.body,
  })
  open.push(made)
  return made
}

beforeEach(() => resolve.mockClear())
afterEach(() => {
  for (const one of open.splice(0)) one.unmount()
})

const field = (): HTMLInputElement | null => document.querySelector(`[data-testid="${ids.setAside.reference}"]`)
const choices = (): string[] =>
  [...document.querySelectorAll<HTMLInputElement>('input[type="radio"]')].map((one) => one.value)

async function type(into: HTMLInputElement | HTMLTextAreaElement | null, text: string): Promise<void> {
  if (into === null) throw new Error('no such field')
  into.value = text
  into.dispatchEvent(new Event('input', { bubbles: true }))
  await flushPromises()
}

async function send(): Promise<void> {
  document.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
  await flushPromises()
}

test('where the hub has no such complaint, a note asks for the one it belongs to', async () => {
  dialog({ is_known: false, waits: true, reason: 'unknown_complaint' as never })
  await flushPromises()
  expect(choices()).toEqual(['note', 'discard'])
  await type(document.querySelector('textarea'), '客户已接受')
  await send()
  expect(resolve).not.toHaveBeenCalled()
  await type(field(), ' CQ0101-260721-A-0042-7K ')
  await send()
  expect(resolve).toHaveBeenCalledWith(number, {
    action: 'note',
    text: '客户已接受',
    reference: 'CQ0101-260721-A-0042-7K',
  })
})

test('where it has, it can take its effect after all, and nobody is asked where', async () => {
  dialog({})
  await flushPromises()
  expect(choices()).toEqual(['accept', 'note', 'discard'])
  expect(field()).toBeNull()
})

test('who handles no complaint can only discard it', async () => {
  dialog({}, false)
  await flushPromises()
  expect(choices()).toEqual([])
  await type(document.querySelector('textarea'), '测试数据')
  await send()
  expect(resolve).toHaveBeenCalledWith(number, { action: 'discard', reason: '测试数据' })
})
