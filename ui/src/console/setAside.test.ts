import { flushPromises } from '@vue/test-utils'
import { effectScope, ref } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as calls from './calls'
import { newcomers, ofRecords, TONES } from './notices'
import { followSetAside, heldBy, mends, reasonOf, useRecords, useSetAside, type SetAsideView } from './setAside'
import type { QuarantineRow } from './types'

vi.mock('./calls', () => ({ quarantine: vi.fn() }))
const asked = vi.mocked(calls.quarantine)

const AT = '2026-11-23T10:00:00Z'
const row = (id: number, over: Partial<QuarantineRow> = {}): QuarantineRow =>
  ({ id, branch: 'CQ0101', reason: 'hash_mismatch', waits: false, holder: { id: 'me', name: '我', since: AT }, body: '张三 13800138000', ...over }) as QuarantineRow
const rows = (from: number, to: number): QuarantineRow[] =>
  Array.from({ length: to - from + 1 }, (_, index) => row(from + index))

/** A hub with 250 records, a hundred a page. */
const pages = ({ after = 0 }: { after?: number }) => {
  const last = Math.min(after + 100, 250)
  return Promise.resolve({ records: rows(after + 1, last), more: last < 250 })
}

let scope = effectScope()
beforeEach(() => {
  scope = effectScope()
  asked.mockReset()
  asked.mockImplementation(pages)
})
afterEach(() => scope.stop())

test('each reason has its name, and what the rules said is told apart', () => {
  expect(reasonOf({ reason: 'unknown_complaint', waits: true } as never)).toBe('unknown_complaint')
  expect(reasonOf({ reason: { not_allowed: 'role' }, waits: false } as never)).toBe('not_allowed')
  expect(reasonOf({ reason: { not_allowed: 'owner_ahead' }, waits: true } as never)).toBe('ahead')
  expect(reasonOf({ reason: 'of_a_newer_hub', waits: false } as never)).toBe('unreadable')
})

test('a notice names the branch and nothing of the record, once until it comes back', () => {
  const kept = new Map<string, string>()
  const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) }
  const fresh = (mine: QuarantineRow[]) => newcomers('p', ofRecords(mine), store).show
  expect(fresh([])).toEqual([])
  expect(fresh([row(7)])).toEqual([{ key: `7/${AT}`, kind: 'set_aside', branch: 'CQ0101' }])
  expect(fresh([row(7)])).toEqual([])
  const again = { id: 'me', name: '我', since: '2026-11-23T11:00:00Z' }
  expect(fresh([row(7, { holder: again })])).toHaveLength(1)
  expect(TONES.set_aside).toBe('warning')
})

test('the frame counts and tells what is with me by name, not what is with nobody', async () => {
  asked.mockResolvedValue({ records: [row(1), row(2, { holder: null }), row(3)], more: false })
  const told: number[][] = []
  const { setAside } = useSetAside()
  scope.run(() => followSetAside('me', (mine) => void told.push(mine.map((one) => one.id))))
  await flushPromises()
  expect(asked).toHaveBeenCalledWith({ mine: true })
  expect(told).toEqual([[1, 3]])
  expect(setAside.value).toBe(2)
  scope.stop()
  expect(setAside.value).toBe(0)
  expect(heldBy(rows(1, 2), 'you')).toEqual([])
  expect([mends('expert'), mends('administrator'), mends('clerk'), mends(undefined)]).toEqual([true, true, false, false])
})

test('page by page nothing is missed, and a reload keeps as many as are shown', async () => {
  const view = ref<SetAsideView>('all')
  const list = scope.run(() => useRecords(view))
  if (list === undefined) throw new Error('no scope')
  await flushPromises()
  expect(list.rows.value).toHaveLength(100)
  await list.more()
  await list.load()
  expect(list.rows.value.map((one) => one.id)).toEqual(rows(1, 200).map((one) => one.id))
  expect(list.hasMore.value).toBe(true)
  await list.more()
  expect(list.rows.value).toHaveLength(250)
  expect(list.hasMore.value).toBe(false)
  view.value = 'mine'
  await flushPromises()
  expect(asked).toHaveBeenLastCalledWith({ after: undefined, mine: true })
  expect(list.rows.value).toHaveLength(100)
})
