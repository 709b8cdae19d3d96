import { mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import { expect, test } from 'vitest'
import TwinList from './TwinList.vue'
import { testids } from '@/shared/testids'
import type { CaseRow, TwinElsewhereView, TwinView } from '@/shared/types'

const i18n = createI18n({ legacy: false, locale: 'x', missingWarn: false, fallbackWarn: false, messages: { x: {} } })
const router = createRouter({
  history: createMemoryHistory(),
  routes: [{ path: '/case/:id', name: 'case', component: { render: () => null } }],
})

const here: TwinView = {
  row: {
    id: '1',
    reference: 'CQ0101-261122-A-0001-AA',
    state: 'in_branch',
    customer: '张＊',
    excerpt: '翠屏苑楼顶装了基站',
    arrived_at: '2026-11-22T00:00:00Z',
  } as CaseRow,
  reasons: [{ kind: 'same_phone' }, { kind: 'alike', percent: 41, shared: ['翠屏苑楼顶', '基站'] }],
}
const elsewhere: TwinElsewhereView = {
  reference: 'CQ0102-261120-A-0007-BB',
  branch: 'CQ0102',
  branch_name: '观音桥营业厅',
  category_zh: '基站辐射',
  category_en: 'Base station',
  state: 'queued',
  day: '2026-11-20',
  same_phone: false,
  percent: 100,
}

function list(linked: string[]) {
  return mount(TwinList, { props: { here: [here], elsewhere: [elsewhere], linked }, global: { plugins: [i18n, router] } })
}
const found = (one: ReturnType<typeof list>, id: string) => one.findAll(`[data-testid="${id}"]`)

test('each complaint is shown with why, and what both say is marked', () => {
  const shown = list([])
  const [first, second] = found(shown, testids.intake.twin)
  expect(first?.text()).toContain('intake.twins.reason.same_phone')
  expect(first?.findAll('mark').map((mark) => mark.text())).toEqual(['翠屏苑楼顶', '基站'])
  expect(second?.text()).toContain('intake.twins.reason.same_text')
})

test('a link is asked for by its number, and only once', async () => {
  const shown = list([here.row.reference])
  const [first, second] = found(shown, testids.intake.twinLink)
  expect(first?.attributes('disabled')).toBeDefined()
  await second?.trigger('click')
  expect(shown.emitted('link')).toEqual([[elsewhere.reference]])
})
