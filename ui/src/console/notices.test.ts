import { expect, test } from 'vitest'
import { newcomers, ofAlerts, ofEscalations, TONES } from './notices'
import type { EscalationRow, WorkOrder } from './types'

const DUE = '2026-11-23T10:00:00Z'
const order = (id: string): WorkOrder => ({ id, reference: `CQ0101-${id}`, customer: '张**', excerpt: '…' }) as WorkOrder
const row = (id: string, over: Partial<EscalationRow['escalation']> = {}): EscalationRow => ({
  escalation: { clock: 'handoff', task: null, level: 'copy', due: DUE, at: DUE, texted: false, ...over },
  order: order(id),
  seen: [],
  to_be_seen: true,
})

function memory() {
  const kept = new Map<string, string>()
  return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) }
}

const shown = (rows: EscalationRow[], store = memory()): string[] =>
  newcomers('p', ofEscalations(rows), store).show.map((one) => one.id)

test('what was there at the first look is no news, what comes later is, once', () => {
  const store = memory()
  expect(shown([row('1')], store)).toEqual([])
  expect(shown([row('2'), row('1')], store)).toEqual(['2'])
  expect(shown([row('2'), row('1')], store)).toEqual([])
})

test('after a reload only what came meanwhile is told', () => {
  const store = memory()
  shown([], store)
  expect(shown([row('1')], store)).toEqual(['1'])
  // A reload looks again, with the same session storage.
  expect(shown([row('1'), row('2')], store)).toEqual(['2'])
})

test('a higher level, another clock, task or deadline of the same complaint is news', () => {
  const store = memory()
  shown([row('1')], store)
  for (const over of [{ level: 'report' }, { clock: 'feedback' }, { task: 't' }, { due: '2026-11-24T10:00:00Z' }] as const) {
    expect(shown([row('1', over)], store), JSON.stringify(over)).toEqual(['1'])
  }
})

test('what left and comes back is told again, and what left is not kept', () => {
  const store = memory()
  shown([row('1')], store)
  shown([], store)
  expect(store.getItem('p')).toBe('[]')
  expect(shown([row('1')], store)).toEqual(['1'])
})

test('a flood is cut to the gravest, and the rest counted', () => {
  const store = memory()
  shown([], store)
  const many = ofEscalations(['1', '2', '3', '4', '5'].map((id) => row(id, { level: id === '5' ? 'report' : 'copy' })))
  const { show, more } = newcomers('p', many, store)
  expect(show.map((one) => one.id)).toEqual(['5', '1', '2'])
  expect(more).toBe(2)
})

test('one person or list does not hide what is new for another', () => {
  const store = memory()
  newcomers('a', [], store)
  newcomers('b', [], store)
  expect(newcomers('a', ofAlerts([order('1')]), store).show).toHaveLength(1)
  expect(newcomers('b', ofAlerts([order('1')]), store).show).toHaveLength(1)
})

test('what was kept and is broken counts as nothing', () => {
  const store = memory()
  store.setItem('p', '{')
  expect(shown([row('1')], store)).toEqual([])
  expect(shown([row('2'), row('1')], store)).toEqual(['2'])
})

test('a notice holds nothing about the customer', () => {
  const [told] = ofEscalations([row('1')])
  expect(Object.keys(told ?? {}).sort()).toEqual(['clock', 'id', 'key', 'kind', 'reference'])
  expect(ofAlerts([order('2')])).toEqual([
    { key: '2/alert', id: '2', reference: 'CQ0101-2', kind: 'alert', clock: 'grade1_alert' },
  ])
  expect([TONES.alert, TONES.report, TONES.copy, TONES.remind]).toEqual(['error', 'error', 'warning', 'info'])
})
