import { mount } from '@vue/test-utils'
import { nextTick } from 'vue'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import { afterEach, expect, test } from 'vitest'
import { ids } from '../testids'
import type { WorkOrder } from '../types'
import WorkOrderTable from './WorkOrderTable.vue'

const order = (id: string, over: Partial<WorkOrder> = {}): WorkOrder => ({
  id,
  reference: `CQ0101-261122-A-000${id}-AA`,
  branch: 'CQ0101',
  branch_name: '解放碑营业厅',
  state: 'queued',
  customer_state: 'accepted',
  grade: 'two',
  category: 'A.01.01',
  category_zh: '费用与告知不符',
  category_en: 'Charged other than told',
  excerpt: '…',
  customer: '张**',
  arrived_at: '2026-11-22T00:00:00Z',
  queued_at: '2026-11-22T00:10:00Z',
  next_clock: 'first_response',
  next_due: '2026-11-23T00:00:00Z',
  claimed_by: null,
  claimed_by_name: null,
  lease_until: null,
  late: false,
  open_tasks: 0,
  alert_pending: false,
  follows: null,
  escalation: null,
  ...over,
})

const i18n = createI18n({ legacy: false, locale: 'x', missingWarn: false, fallbackWarn: false, messages: { x: {} } })
const router = createRouter({
  history: createMemoryHistory(),
  routes: [{ path: '/case/:id', name: 'case', component: { render: () => null } }],
})

const open: { unmount: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.unmount()
})

function table(rows: WorkOrder[]) {
  const made = mount(WorkOrderTable, {
    props: { rows, canClaim: true, mine: 'me', label: 'queue' },
    global: { plugins: [i18n, router] },
    attachTo: document.body,
  })
  open.push(made)
  return made
}

async function press(key: string, on: EventTarget = document.activeElement ?? window): Promise<void> {
  on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  await nextTick()
  await nextTick()
}

const focused = (): string | undefined => (document.activeElement as HTMLElement | null)?.dataset.id

test('J and K walk, Enter opens, C claims', async () => {
  const made = table([order('1'), order('2'), order('3')])
  await press('j')
  expect(focused()).toBe('1')
  await press('j')
  await press('ArrowDown')
  await press('k')
  expect(focused()).toBe('2')
  await press('Enter')
  expect(made.emitted('open')).toEqual([['2']])
  await press('c')
  expect(made.emitted('claim')).toEqual([['2']])
})

test('the letters do nothing while somebody types', async () => {
  const made = table([order('1')])
  const field = document.createElement('input')
  document.body.append(field)
  field.focus()
  await press('j')
  await press('c')
  expect(document.activeElement).toBe(field)
  expect(made.emitted('claim')).toBeUndefined()
  field.remove()
})

test('what another has claimed is not offered', async () => {
  const made = table([order('1', { claimed_by: 'other', claimed_by_name: '吴昊', state: 'claimed' })])
  await press('j')
  await press('c')
  expect(made.emitted('claim')).toBeUndefined()
  expect(made.text()).toContain('吴昊')
})

test('a deadline somebody was told of is said in words', async () => {
  const due = '2026-11-23T00:00:00Z'
  const escalation = { clock: 'feedback', task: null, level: 'copy', due, at: due, texted: false } as const
  const made = table([order('1', { escalation }), order('2')])
  const badges = made.findAll(`[data-testid="${ids.escalations.badge}"]`)
  expect(badges.map((one) => one.attributes('data-level'))).toEqual(['copy'])
  expect(badges[0]?.text()).toBe('words.level.copy · words.clock.feedback')
})

test('when the line one stands on is gone, the keyboard stays at its place', async () => {
  const made = table([order('1'), order('2'), order('3')])
  await press('j')
  await press('j')
  await made.setProps({ rows: [order('1'), order('3')] })
  await nextTick()
  await nextTick()
  expect(focused()).toBe('3')
})
