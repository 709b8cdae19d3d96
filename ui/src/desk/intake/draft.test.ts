import { reactive } from 'vue'
import { beforeEach, expect, test, vi } from 'vitest'
import { useDraft } from './draft'
import { emptySheet } from '@/shared/form'
import type { DraftView, Form, Sheet } from '@/shared/types'

const disk = vi.hoisted(() => ({
  drafts: new Map<string, Sheet | null>(),
  opened: 0,
  full: false,
}))

vi.mock('../host', () => ({
  toldOf: () => ({ code: 'disk_full' }),
  host: {
    async draftOpen() {
      disk.opened += 1
      const id = `draft-${disk.opened}`
      disk.drafts.set(id, null)
      const at = new Date().toISOString()
      return { id, opened_at: at, changed_at: at, intake: {}, chosen: {} }
    },
    async draftSave(id: string, sheet: Sheet) {
      if (disk.full) throw new Error('disk full')
      disk.drafts.set(id, sheet)
      return new Date().toISOString()
    },
    async draftDiscard(id: string) {
      disk.drafts.delete(id)
    },
    async drafts() {
      return [...disk.drafts].map(([id, sheet], n) => ({
        id,
        opened_at: '2026-11-22T09:00:00Z',
        changed_at: `2026-11-22T09:0${n}:00Z`,
        intake: sheet?.form ?? {},
        chosen: sheet?.chosen ?? {},
      }))
    },
  },
}))

beforeEach(() => {
  disk.drafts.clear()
  disk.opened = 0
  disk.full = false
  vi.useRealTimers()
})

function open(): Sheet & { draft: ReturnType<typeof useDraft> } {
  const sheet = reactive(emptySheet())
  return { ...sheet, draft: useDraft(sheet) }
}

async function type(form: Form, draft: ReturnType<typeof useDraft>, text: string): Promise<void> {
  form.description = text
  draft.changed()
  await draft.settle()
}

test('what was typed is on the disk and comes back after a crash', async () => {
  const before = open()
  await before.draft.load()
  await type(before.form, before.draft, '宽带断了')
  const after = open()
  await after.draft.load()
  expect(after.form.description).toBe('宽带断了')
  expect(after.draft.restoredAt.value).not.toBeNull()
  expect(after.draft.current.value?.id).toBe(before.draft.current.value?.id)
})

test('what was decided beside the form comes back with it, and not into the next one', async () => {
  const before = open()
  await before.draft.load()
  before.chosen.grade = 'two'
  before.chosen.override_reason = '客户要上'
  before.chosen.arrived_at = '2026-11-22T08:30:00Z'
  await type(before.form, before.draft, '宽带断了')
  const after = open()
  await after.draft.load()
  expect(after.chosen).toEqual(before.chosen)
  await after.draft.begin()
  expect(after.chosen).toEqual(emptySheet().chosen)
  await after.draft.turnTo(after.draft.others.value[0] as DraftView)
  expect(after.chosen.override_reason).toBe('客户要上')
})

test('an empty form leaves nothing behind and is not restored', async () => {
  const first = open()
  await first.draft.load()
  const second = open()
  await second.draft.load()
  expect(second.draft.restoredAt.value).toBeNull()
  expect(disk.drafts.size).toBe(1)
})

test('a new form keeps the one begun among the others, and it can be turned to again', async () => {
  const { form, draft } = open()
  await draft.load()
  await type(form, draft, '第一位')
  await draft.begin()
  expect(form.description).toBe('')
  await type(form, draft, '第二位')
  const [first] = draft.others.value
  await draft.turnTo(first as DraftView)
  expect(form.description).toBe('第一位')
  expect(draft.others.value.map((other) => other.intake.description)).toEqual(['第二位'])
  expect(disk.drafts.size).toBe(2)
})

test('a form left open for the next customer counts from the first word', async () => {
  vi.useFakeTimers()
  const { form, draft } = open()
  await draft.load()
  const idle = draft.current.value?.id
  vi.advanceTimersByTime(30 * 60_000)
  await type(form, draft, '刚到')
  expect(draft.current.value?.id).not.toBe(idle)
  expect(disk.drafts.size).toBe(1)
})

test('a failed save is told and tried again until the disk takes it', async () => {
  vi.useFakeTimers()
  const { form, draft } = open()
  await draft.load()
  disk.full = true
  await type(form, draft, '不能丢')
  expect(draft.error.value?.code).toBe('disk_full')
  disk.full = false
  await vi.advanceTimersByTimeAsync(4_000)
  await draft.settle()
  expect(draft.error.value).toBeNull()
  expect([...disk.drafts.values()]).toEqual([
    expect.objectContaining({ form: expect.objectContaining({ description: '不能丢' }) }),
  ])
})

test('a recorded form is not written back as a draft', async () => {
  const { form, draft } = open()
  await draft.load()
  await type(form, draft, '已登记')
  disk.drafts.clear()
  draft.recorded()
  draft.changed()
  await draft.settle()
  expect(disk.drafts.size).toBe(0)
  expect(form).toEqual(emptySheet().form)
})
